/* The body of elementwise_loops.h, included once per type: T and NAME(x), which gives x_<type>. */

#define R    T
#define LOOP NAME(map)
#define PAIR NAME(zip)
#include "cpu/kernels/elementwise_pair.inc.c"
#undef R
#undef LOOP
#undef PAIR

#define R    uint8_t
#define LOOP NAME(test)
#define PAIR NAME(compare)
#include "cpu/kernels/elementwise_pair.inc.c"
#undef R
#undef LOOP
#undef PAIR
