#ifndef TOCHA_FORMULA_PADE_H
#define TOCHA_FORMULA_PADE_H
/* The Pade approximation of degree 13 to the exponential of a matrix, which is exact to rounding up
 * to this norm (Higham 2005, "The scaling and squaring method for the matrix exponential
 * revisited"), by its numerator. */

#define PADE_REACH 5.371920351148152

static const double pade_numerator[] = {64764752532480000,
                                        32382376266240000,
                                        7771770303897600,
                                        1187353796428800,
                                        129060195264000,
                                        10559470521600,
                                        670442572800,
                                        33522128640,
                                        1323241920,
                                        40840800,
                                        960960,
                                        16380,
                                        182,
                                        1};

#endif
