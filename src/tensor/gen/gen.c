/* Turns the rows of ops.def into the operator table and everything that follows from it:
 *   ops_gen.h    the ids, the rules' prototypes, the wrappers t_name()
 *   ops_gen.inc  the table and the wrappers' bodies
 *   tocha_ops.h  the public C interface's operators, tocha_ops.inc their bodies
 * A program of the build: gen OUTDIR. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

#define REDUCE_SIG "Tensor input, dims? dim..., bool keepdim = false"
#define UNARY(name, dtypes, grad, reads, doc)                                     \
    {"UNARY", #name,          #dtypes, "OPF_INPLACE | OPF_DIRECT", "SAME", #grad, \
     reads,   "Tensor input", doc},
#define BINARY(name, dtypes, grad, reads, extra, doc)                    \
    {"BINARY", #name, #dtypes, "OPF_INPLACE | OPF_PROMOTE | OPF_DIRECT", \
     "SAME",   #grad, reads,   "Tensor input, Tensor other" extra,       \
     doc},
#define COMPARE(name, dtypes, doc)                                \
    {"COMPARE", #name,     #dtypes, "OPF_INPLACE | OPF_PROMOTE",  \
     "BOOL",    "no_grad", "",      "Tensor input, Tensor other", \
     doc},
#define REDUCE(name, dtypes, result, grad, reads, extra, doc) \
    {"REDUCE", #name, #dtypes, "0", #result, #grad, reads, REDUCE_SIG extra, doc},
#define VIEW(name, grad, sig, doc) {"VIEW", #name, "DTSET_ALL", "0", "SAME", #grad, "", sig, doc},
#define OP(name, dtypes, flags, grad, reads, sig, doc) \
    {"OP", #name, #dtypes, #flags, "SAME", #grad, reads, sig, doc},
#define COMPOSE(name, flags, sig, doc) \
    {"COMPOSE", #name, "DTSET_ANY", #flags, "SAME", "no_grad", "", sig, doc},
const Row rows[] = {
#include "../ops.def"
};
enum { N_ROWS = sizeof rows / sizeof *rows };
const int n_rows = N_ROWS;

static FILE *out;

void put(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vfprintf(out, fmt, ap);
    va_end(ap);
}

static void put_string(const char *s) {
    put("\"");
    for (; *s; s++) {
        if (*s == '\n') {
            put("\\n");
        } else {
            put(*s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
        }
    }
    put("\"");
}

bool row_is(const Row *r, const char *kind) { return strcmp(r->kind, kind) == 0; }

static const char *infer_of(const Row *r) {
    static char name[80];
    if (row_is(r, "COMPOSE")) {
        return "NULL";
    }
    if (row_is(r, "UNARY")) {
        return "infer_unary";
    }
    if (row_is(r, "BINARY") || row_is(r, "COMPARE")) {
        return "infer_binary";
    }
    if (row_is(r, "REDUCE")) {
        return "infer_reduce";
    }
    snprintf(name, sizeof name, "infer_%s", r->name);
    return name;
}

bool row_has_inplace(const Row *r) { return strstr(r->flags, "OPF_INPLACE") != NULL; }

/* How many parameters the C wrapper has: rules write t_add(a, b) and leave a class's further
 * options at their defaults. */
static int wrapper_params(const Row *r, const Signature *s) {
    return row_is(r, "BINARY") && s->n_params > 2 ? 2 : s->n_params;
}

/* "int64_t dim, bool keepdim" */
static void put_parameters(const Row *r, const Signature *s) {
    for (int i = 0; i < wrapper_params(r, s); i++) {
        const ParsedParam *p = &s->param[i];
        bool scalar_option =
            p->optional && !p->has_fallback &&
            (strcmp(p->type->name, "int") == 0 || strcmp(p->type->name, "float") == 0 ||
             strcmp(p->type->name, "dim") == 0 || strcmp(p->type->name, "bool") == 0);
        put("%s%s%s", i ? ", " : "", scalar_option ? "Arg " : p->type->c_type, p->name);
    }
    if (s->n_params == 0 && s->n_outs == 1) {
        put("void");
    }
}

static void put_argument(const ParsedParam *p) {
    const char *make = p->type->make;
    bool option = p->optional && !p->has_fallback;
    if (option && (strcmp(make, "arg_int") == 0 || strcmp(make, "arg_float") == 0 ||
                   strcmp(make, "arg_bool") == 0)) {
        make = "";
    } else if (option && strcmp(make, "arg_tensor") == 0) {
        make = "arg_tensor_opt";
    }
    put(*make ? "%s(%s)" : "%s%s", make, p->name);
}

static void put_prototype(const Row *r, const Signature *s, const char *suffix) {
    put("%st_%s%s(", s->n_outs > 1 ? "bool " : "Tensor *", r->name, suffix);
    put_parameters(r, s);
    if (s->n_outs > 1) {
        put("%sTensor *out[%d]", s->n_params ? ", " : "", s->n_outs);
    }
    put(")");
}

static void put_arguments(const Row *r, const Signature *s) {
    put("    const Arg arg[] = {");
    for (int i = 0; i < s->n_params; i++) {
        put(i ? ", " : "");
        if (i < wrapper_params(r, s)) {
            put_argument(&s->param[i]);
        } else {
            put("arg_none()");
        }
    }
    put("};\n");
}

static void put_wrapper(const Row *r, const Signature *s) {
    put_prototype(r, s, "");
    put(" {\n");
    put_arguments(r, s);
    if (s->n_outs > 1) {
        put("    return op_call(&op_table[OP_%s], arg, out);\n}\n", r->name);
    } else {
        put("    Tensor *out;\n    return op_call(&op_table[OP_%s], arg, &out) ? out : NULL;\n}\n",
            r->name);
    }
    if (row_has_inplace(r)) {
        put_prototype(r, s, "_");
        put(" {\n");
        put_arguments(r, s);
        put("    return op_call_inplace(&op_table[OP_%s], arg) ? arg[0].t : NULL;\n}\n", r->name);
    }
}

static long to_engine(const ParsedParam *p, long v) {
    return p->type->one_based && v > 0 ? v - 1 : v;
}

static bool is_number(const char *type) {
    return strcmp(type, "number") == 0 || strcmp(type, "scalar") == 0;
}

static void put_fallback(const Row *r, int i, const ParsedParam *p) {
    const char *t = p->type->name, *v = p->fallback;
    if (!p->has_fallback || strcmp(v, "nil") == 0) {
        put("{.kind = ARG_NONE}");
    } else if (strcmp(t, "ints") == 0 || strcmp(t, "dims") == 0 || strcmp(t, "shape") == 0) {
        put("{.kind = ARG_INTS, .count = 1, .ints = %s_default_%d}", r->name, i);
    } else if (strcmp(t, "bool") == 0) {
        put("{.kind = ARG_BOOL, .b = %s}", v);
    } else if (strcmp(t, "float") == 0 || (is_number(t) && strpbrk(v, ".e"))) {
        put("{.kind = ARG_FLOAT, .f = %s}", v);
    } else if (strcmp(t, "string") == 0) {
        put("{.kind = ARG_STRING, .s = \"%.*s\"}", (int)strlen(v) - 2, v + 1);
    } else {
        put("{.kind = ARG_INT, .i = %ld}", to_engine(p, strtol(v, NULL, 10)));
    }
}

static void put_params(const Row *r, const Signature *s) {
    for (int i = 0; i < s->n_params; i++) {
        const ParsedParam *p = &s->param[i];
        if (p->has_fallback &&
            (strcmp(p->type->name, "ints") == 0 || strcmp(p->type->name, "dims") == 0)) {
            put("static const int64_t %s_default_%d[] = {%ld};\n", r->name, i,
                to_engine(p, strtol(p->fallback, NULL, 10)));
        }
    }
    put("static const Param %s_params[] = {\n", r->name);
    for (int i = 0; i < s->n_params; i++) {
        const ParsedParam *p = &s->param[i];
        put("    {\"%s\", %s, %d, %d, %d, ", p->name, p->type->id, p->optional, p->variadic,
            p->written);
        put_fallback(r, i, p);
        put(", ");
        if (p->has_fallback) {
            put_string(p->fallback);
        } else {
            put("NULL");
        }
        put("},\n");
    }
    put(s->n_params ? "};\n" : "    {0}};\n");
}

static int put_reads(const Row *r, const Signature *s) {
    unsigned mask[MAX_PARAMS] = {0};
    reads_parse(r->name, r->reads, s, mask);
    int tensors = 0;
    for (int i = 0; i < s->n_params; i++) {
        tensors += s->param[i].type->tensor;
    }
    put("static const uint32_t %s_reads[] = {", r->name);
    for (int i = 0; i < tensors; i++) {
        put("%s%#x", i ? ", " : "", mask[i]);
    }
    put(tensors ? "};\n" : "0};\n");
    return tensors;
}

static void put_row(const Row *r, const Signature *s, int tensors, int id) {
    const char *suffix = strstr(r->name, "__");
    const char *arrow = strstr(r->sig, "->");
    bool writes = false, plain = tensors > 0, dims = false;
    for (int i = 0; i < s->n_params; i++) {
        const Type *type = s->param[i].type;
        writes |= s->param[i].written;
        plain &= !type->tensor || strcmp(type->name, "Tensor") == 0;
        dims |= type->one_based || strcmp(type->name, "shape") == 0;
    }
    put("    {.name = \"%s\", .public_name = \"%.*s\", .sig = ", r->name,
        (int)(suffix ? suffix - r->name : (long)strlen(r->name)), r->name);
    put_string(r->sig);
    put(",\n     .reads = \"%s\", .doc = ", r->reads);
    put_string(r->doc);
    put(",\n     .outputs = \"%s\", .id = %d, .op_class = CLASS_%s, .result = RESULT_%s,\n",
        arrow ? arrow + 2 + strspn(arrow + 2, " ") : "", id, r->kind, r->result);
    put("     .n_params = %d, .n_outs = %d, .tensor_params = %d, .dtypes = %s, .flags = "
        "(%s)%s%s%s,\n",
        s->n_params, s->n_outs, tensors, r->dtypes, r->flags, writes ? " | OPF_WRITES" : "",
        plain ? " | OPF_PLAIN" : "", dims ? " | OPF_DIMS" : "");
    put("     .params = %s_params, .infer = %s, .grad = %s, .compose = ", r->name, infer_of(r),
        r->grad);
    put(row_is(r, "COMPOSE") ? "compose_%s" : "NULL", r->name);
    put(", .reads_mask = %s_reads},\n", r->name);
}

static void write_header(const Signature *sigs) {
    put("/* Generated from ops.def. */\n#ifndef TOCHA_OPS_GEN_H\n#define TOCHA_OPS_GEN_H\nenum "
        "OpId {\n");
    for (int i = 0; i < N_ROWS; i++) {
        put("    OP_%s,\n", rows[i].name);
    }
    put("    N_OPS\n};\n");
    for (int i = 0; i < N_ROWS; i++) {
        if (row_is(&rows[i], "COMPOSE")) {
            put("ComposeFn compose_%s;\n", rows[i].name);
        } else {
            put("InferFn %s;\nGradFn %s;\n", infer_of(&rows[i]), rows[i].grad);
        }
        put_prototype(&rows[i], &sigs[i], "");
        put(";\n");
        if (row_has_inplace(&rows[i])) {
            put_prototype(&rows[i], &sigs[i], "_");
            put(";\n");
        }
    }
    put("#endif\n");
}

static int by_name(const void *a, const void *b) {
    return strcmp(rows[*(const int *)a].name, rows[*(const int *)b].name);
}

/* The rows in alphabetical order, for the search by name. */
static void put_order(void) {
    int order[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        order[i] = i;
    }
    qsort(order, N_ROWS, sizeof *order, by_name);
    put("static const uint16_t op_by_name[N_OPS] = {");
    for (int i = 0; i < N_ROWS; i++) {
        put("%s%d", i ? ", " : "", order[i]);
    }
    put("};\n");
}

static void write_table(const Signature *sigs) {
    int tensors[N_ROWS];
    put("/* Generated from ops.def. */\n");
    for (int i = 0; i < N_ROWS; i++) {
        put_params(&rows[i], &sigs[i]);
        tensors[i] = put_reads(&rows[i], &sigs[i]);
    }
    put("const Op op_table[N_OPS] = {\n");
    for (int i = 0; i < N_ROWS; i++) {
        put_row(&rows[i], &sigs[i], tensors[i], i);
    }
    put("};\n");
    put_order();
    for (int i = 0; i < N_ROWS; i++) {
        put_wrapper(&rows[i], &sigs[i]);
    }
}

static void open_output(const char *dir, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
}

static void close_output(void) {
    if (fclose(out) != 0) {
        perror("gen");
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: gen OUTDIR\n");
        return 2;
    }
    static Signature sigs[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        signature_parse(rows[i].name, rows[i].sig, &sigs[i]);
    }
    open_output(argv[1], "ops_gen.h");
    write_header(sigs);
    close_output();
    open_output(argv[1], "ops_gen.inc");
    write_table(sigs);
    close_output();
    open_output(argv[1], "tocha_ops.h");
    write_public_header(sigs);
    close_output();
    open_output(argv[1], "tocha_ops.inc");
    write_public_bodies(sigs);
    close_output();
    return 0;
}
