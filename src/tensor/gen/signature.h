#ifndef TOCHA_GEN_SIGNATURE_H
#define TOCHA_GEN_SIGNATURE_H
/* Parses the signatures of ops.def. Used by the generator only; errors end the build. */
#include <stdbool.h>

enum { MAX_PARAMS = 16 };

typedef struct Type {
    const char *name;   /* as ops.def writes it */
    const char *id;     /* PARAM_... */
    const char *c_type; /* of the wrapper's argument */
    const char *make;   /* what turns the wrapper's argument into an Arg */
    const char *public; /* the argument's type in the public interface; lists have a count too */
    bool tensor;        /* takes tensors */
    bool one_based;     /* a default is written as the user sees it */
} Type;

typedef struct ParsedParam {
    const Type *type;
    char name[40], fallback[40];
    bool optional, has_fallback, variadic, written;
} ParsedParam;

typedef struct Signature {
    ParsedParam param[MAX_PARAMS];
    int n_params;
    char output[6][40];
    int n_outs;
} Signature;

/* op names the row in error texts. */
void signature_parse(const char *op, const char *text, Signature *s);
/* The bits of Op.reads_mask for each tensor parameter, in order. */
void reads_parse(const char *op, const char *reads, const Signature *s, unsigned *mask);
#endif
