#ifndef TOCHA_AXES_H
#define TOCHA_AXES_H
/* The dims that a kernel walks over besides the one it is about, with the step of each operand. */
#include <stdint.h>

enum { AXIS_OPERANDS = 3 };

typedef struct Axis {
    int64_t size, step[AXIS_OPERANDS]; /* steps in elements */
} Axis;

/* Sorts by the steps of operand k, the smallest first. */
static inline void axes_sort(Axis *axis, int n, int k) {
    for (int i = 1; i < n; i++) {
        Axis a = axis[i];
        int j = i;
        for (; j > 0 && axis[j - 1].step[k] > a.step[k]; j--) {
            axis[j] = axis[j - 1];
        }
        axis[j] = a;
    }
}

static inline int axis_follows(const Axis *outer, const Axis *inner) {
    for (int k = 0; k < AXIS_OPERANDS; k++) {
        if (outer->step[k] != inner->step[k] * inner->size) {
            return 0;
        }
    }
    return 1;
}

/* Merges neighbours that all operands step through without a break; how many axes are left. */
static inline int axes_merge(Axis *axis, int n) {
    int m = 0;
    for (int i = 1; i < n; i++) {
        if (axis_follows(&axis[i], &axis[m])) {
            axis[m].size *= axis[i].size;
        } else {
            axis[++m] = axis[i];
        }
    }
    return n ? m + 1 : 0;
}

/* Adds to offset (one entry an operand) where index i of the axes [first, n) lies. */
static inline void axes_offset(const Axis *axis, int first, int n, int64_t i, int64_t *offset) {
    for (int d = first; d < n; d++) {
        int64_t at = i % axis[d].size;
        i /= axis[d].size;
        for (int k = 0; k < AXIS_OPERANDS; k++) {
            offset[k] += at * axis[d].step[k];
        }
    }
}
#endif
