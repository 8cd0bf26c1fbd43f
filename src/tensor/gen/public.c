/* The operators of the public C interface: tocha_name() for each row. */
#include <string.h>

#include "gen.h"

static bool is_list(const ParsedParam *p) {
    return strchr(p->type->public, '*') && strcmp(p->type->public, "tocha_tensor *") != 0 &&
           strcmp(p->type->name, "string") != 0 && strcmp(p->type->name, "generator") != 0;
}

/* An optional plain number is handed over as a tocha_number, which may be missing. */
static bool is_optional_number(const ParsedParam *p) {
    const char *t = p->type->public;
    return p->optional && !p->has_fallback &&
           (strcmp(t, "int64_t ") == 0 || strcmp(t, "double ") == 0 || strcmp(t, "bool ") == 0);
}

static void put_prototype(const Row *r, const Signature *s, const char *suffix, bool inplace) {
    bool status = inplace || s->n_outs > 1;
    put("%stocha_%s%s(", status ? "bool " : "tocha_tensor *", r->name, suffix);
    for (int i = 0; i < s->n_params; i++) {
        const ParsedParam *p = &s->param[i];
        const char *type = is_optional_number(p) ? "tocha_number " : p->type->public;
        put("%s%s%s", i ? ", " : "", type, p->name);
        if (is_list(p)) {
            put(", int %s_count", p->name);
        }
    }
    if (s->n_outs > 1) {
        put(", tocha_tensor *out[%d]", s->n_outs);
    }
    put(s->n_params ? ")" : "void)");
}

static void put_argument(const ParsedParam *p) {
    const char *t = p->type->public, *name = p->name;
    if (strcmp(t, "tocha_tensor *") == 0) {
        put("%s(%s)", p->optional ? "arg_tensor_opt" : "arg_tensor", name);
    } else if (strcmp(t, "tocha_tensor *const *") == 0) {
        put("arg_tensors((TensorList){%s, %s_count})", name, name);
    } else if (is_list(p)) {
        bool floats = strcmp(p->type->name, "floats") == 0;
        put("%s{%s, %s_count})", floats ? "arg_floats((Floats)" : "arg_ints((Ints)", name, name);
    } else if (strcmp(t, "tocha_number ") == 0 || is_optional_number(p)) {
        put("arg_public_number(&%s)", name);
    } else if (strcmp(t, "tocha_device ") == 0) {
        put("arg_public_device(%s)", name);
    } else if (strcmp(p->type->name, "string") == 0) {
        put("arg_public_string(%s)", name);
    } else if (strcmp(t, "tocha_dtype ") == 0) {
        put("arg_dtype((int)%s)", name);
    } else {
        put("%s(%s)", p->type->make, name);
    }
}

static void put_body(const Row *r, const Signature *s, const char *call) {
    put(" {\n    const Arg arg[] = {");
    for (int i = 0; i < s->n_params; i++) {
        put(i ? ", " : "");
        put_argument(&s->param[i]);
    }
    put("};\n    return %s(&op_table[OP_%s], arg%s);\n}\n", call, r->name,
        strcmp(call, "call_many") == 0 ? ", out" : "");
}

static void put_comment(const Row *r) {
    const char *end = strchr(r->doc, '\n');
    put("/* %.*s */\n", end ? (int)(end - r->doc) : (int)strlen(r->doc), r->doc);
}

void write_public_header(const Signature *sigs) {
    put("/* Generated from the operator table. */\n#ifndef TOCHA_OPS_H\n#define TOCHA_OPS_H\n");
    for (int i = 0; i < n_rows; i++) {
        put_comment(&rows[i]);
        put("TOCHA_API ");
        put_prototype(&rows[i], &sigs[i], "", false);
        put(";\n");
        if (row_has_inplace(&rows[i])) {
            put("TOCHA_API ");
            put_prototype(&rows[i], &sigs[i], "_", true);
            put(";\n");
        }
    }
    put("#endif\n");
}

void write_public_bodies(const Signature *sigs) {
    put("/* Generated from the operator table. */\n");
    for (int i = 0; i < n_rows; i++) {
        put_prototype(&rows[i], &sigs[i], "", false);
        put_body(&rows[i], &sigs[i], sigs[i].n_outs > 1 ? "call_many" : "call_one");
        if (row_has_inplace(&rows[i])) {
            put_prototype(&rows[i], &sigs[i], "_", true);
            put_body(&rows[i], &sigs[i], "op_call_inplace");
        }
    }
}
