#ifndef TOCHA_GEN_H
#define TOCHA_GEN_H
#include "signature.h"

/* A row of ops.def, as text. */
typedef struct Row {
    const char *kind, *name, *dtypes, *flags, *result, *grad, *reads, *sig, *doc;
} Row;

extern const Row rows[];
extern const int n_rows;

bool row_is(const Row *r, const char *kind);
bool row_has_inplace(const Row *r);
/* Prints to the file that is being written. */
void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* sigs: of each row. */
void write_public_header(const Signature *sigs);
void write_public_bodies(const Signature *sigs);
#endif
