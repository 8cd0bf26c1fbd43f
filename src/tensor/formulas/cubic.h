#ifndef TOCHA_FORMULA_CUBIC_H
#define TOCHA_FORMULA_CUBIC_H
#include "tensor/formulas/formula.h"

/* The weights of cubic convolution, as polynomials of the distance to a pixel: up to 1 and, far, up
 * to 2; the derivative of that order at distance d. */
TOCHA_HD double f_cubic_weight(int far, int order, double d) {
    const double c[4] = {far ? 3.0 : 1.0, far ? -6.0 : 0.0, far ? 3.75 : -2.25, far ? -0.75 : 1.25};
    double sum = 0, power = 1;
    for (int i = order; i < 4; i++) {
        double factor = c[i];
        for (int k = 0; k < order; k++) {
            factor *= i - k;
        }
        sum += factor * power;
        power *= d;
    }
    return sum;
}

#endif
