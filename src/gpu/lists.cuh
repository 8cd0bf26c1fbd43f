#ifndef TOCHA_GPU_LISTS_CUH
#define TOCHA_GPU_LISTS_CUH
/* Lists, one for each of some targets, of the entries that belong to it. Threads build them in any
 * order; short ones are then sorted, and long ones summed in a way that knows no order. */
#include "gpu/exact.cuh"

enum { LIST_END = -1, LIST_SHORT = 32 };

struct Lists {
    int32_t *head, *next; /* by target and by entry; heads start as LIST_END */
};

static __device__ __forceinline__ void list_add(const Lists &l, int32_t target, int32_t entry) {
    l.next[entry] = (int32_t)atomicExch((int *)&l.head[target], (int)entry);
}

/* Puts entry into the sorted list that begins with first; where it begins now. */
static __device__ __forceinline__ int32_t list_insert(const Lists &l, int32_t first,
                                                      int32_t entry) {
    if (first < 0 || entry < first) {
        l.next[entry] = first;
        return entry;
    }
    int32_t before = first;
    while (l.next[before] >= 0 && l.next[before] < entry) {
        before = l.next[before];
    }
    l.next[entry] = l.next[before];
    l.next[before] = entry;
    return first;
}

/* Once all entries are in, by one thread for each target: sorts a list, or marks it as long. */
static __device__ __forceinline__ int32_t list_settle(const Lists &l, int32_t target) {
    int32_t head = l.head[target], sorted = LIST_END;
    int n = 0;
    for (int32_t e = head; e >= 0 && n <= LIST_SHORT; e = l.next[e]) {
        n++;
    }
    if (n > LIST_SHORT) {
        sorted = LIST_END - 1 - head;
    }
    while (n <= LIST_SHORT && head >= 0) {
        int32_t entry = head;
        head = l.next[entry];
        sorted = list_insert(l, sorted, entry);
    }
    return l.head[target] = sorted;
}

/* The sum of value(entry) over a list of floats, whatever its order. */
template <class F>
__device__ __forceinline__ double sum_unsorted(const Lists &l, int32_t first, F value) {
    Cell c = Cell();
    int n = 0;
    for (int32_t e = first; e >= 0; e = l.next[e], n++) {
        double x = (double)value(e);
        if (is_special(x)) {
            c.specials |= special_kind(x);
        } else if (x != 0) {
            int exponent = exponent_of(x);
            c.exponent = c.exponent > exponent ? c.exponent : exponent;
        }
    }
    int bits = bits_for(n);
    for (int32_t e = first; e >= 0 && c.specials == 0 && c.exponent > 0; e = l.next[e]) {
        Units u = units_of((double)value(e), c.exponent, bits);
        c.high += u.high;
        c.low += u.low;
    }
    return c.exponent > 0 || c.specials ? cell_sum(c, bits) : 0;
}

/* The sum of value(entry), which is computed with as M, over the list that was settled to head. */
template <class M, class F>
__device__ __forceinline__ M sum_list(const Lists &l, int32_t head, F value) {
    bool is_long = head < LIST_END;
    int32_t first = is_long ? LIST_END - 1 - head : head;
    if (is_long && (M)0.5 != (M)0) {
        return (M)sum_unsorted(l, first, value);
    }
    M sum = 0;
    for (int32_t e = first; e >= 0; e = l.next[e]) {
        sum = (M)(sum + value(e));
    }
    return sum;
}

#endif
