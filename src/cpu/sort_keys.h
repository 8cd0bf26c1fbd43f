#ifndef TOCHA_CPU_SORT_KEYS_H
#define TOCHA_CPU_SORT_KEYS_H
/* Rows of elements as keys: unsigned numbers of the same order, each with its place in the row. */
#include <stdbool.h>
#include <stdint.h>

/* A key of at most 32 bits stands above a place of 32 bits in one number. */
typedef uint64_t Packed;
/* Any other key and place. */
typedef struct Pair {
    uint64_t key, at;
} Pair;

/* Whether keys of dtype, of a row of n, have to be pairs. */
bool keys_are_wide(int dtype, int64_t n);
/* The significant bits of dtype's keys. */
int keys_bits(int dtype);
/* The key of every nan of dtype: the largest one. False where dtype has none. */
bool keys_of_nan(int dtype, uint64_t *key);

/* Keys of n elements from x on, step elements apart; places count from first. -0 has the key of 0.
 * flip, ones in keys_bits() bits or 0, is xored into the keys: it turns the order round. */
void keys_fill_packed(int dtype, const void *x, int64_t step, int64_t n, uint64_t first,
                      uint64_t flip, Packed *to);
void keys_fill_pair(int dtype, const void *x, int64_t step, int64_t n, uint64_t first,
                    uint64_t flip, Pair *to);

/* Sorts x, with tmp of the same size: stable. Returns the one of both that holds the result. */
Packed *sort_packed(Packed *x, Packed *tmp, int64_t n, int bits);
Pair *sort_pair(Pair *x, Pair *tmp, int64_t n, int bits);
/* Brings count entries x in among the n best in order, of which at most k are kept; how many there
 * are then. */
int64_t insert_best_packed(Packed *best, int64_t n, int64_t k, const Packed *x, int64_t count);
int64_t insert_best_pair(Pair *best, int64_t n, int64_t k, const Pair *x, int64_t count);
/* The entry of rank k (from 0) of x, whose places ascend; x is used up. */
Packed select_packed(Packed *x, int64_t n, int64_t k, int bits);
Pair select_pair(Pair *x, int64_t n, int64_t k, int bits);
#endif
