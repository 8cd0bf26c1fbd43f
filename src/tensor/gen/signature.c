#include "signature.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Type types[] = {
    {"Tensor", "PARAM_TENSOR", "Tensor *", "arg_tensor", "tocha_tensor *", true, false},
    {"Index", "PARAM_INDEX", "Tensor *", "arg_tensor", "tocha_tensor *", true, false},
    {"Mask", "PARAM_MASK", "Tensor *", "arg_tensor", "tocha_tensor *", true, false},
    {"Tensors", "PARAM_TENSORS", "TensorList ", "arg_tensors", "tocha_tensor *const *", true,
     false},
    {"Indices", "PARAM_INDICES", "TensorList ", "arg_tensors", "tocha_tensor *const *", true,
     false},
    {"int", "PARAM_INT", "int64_t ", "arg_int", "int64_t ", false, false},
    {"ints", "PARAM_INTS", "Ints ", "arg_ints", "const int64_t *", false, false},
    {"shape", "PARAM_SHAPE", "Ints ", "arg_ints", "const int64_t *", false, false},
    {"float", "PARAM_FLOAT", "double ", "arg_float", "double ", false, false},
    {"floats", "PARAM_FLOATS", "Floats ", "arg_floats", "const double *", false, false},
    {"number", "PARAM_NUMBER", "Arg ", "", "tocha_number ", false, false},
    {"scalar", "PARAM_SCALAR", "Arg ", "", "tocha_number ", false, false},
    {"bool", "PARAM_BOOL", "bool ", "arg_bool", "bool ", false, false},
    {"string", "PARAM_STRING", "const char *", "arg_string", "const char *", false, false},
    {"dim", "PARAM_DIM", "int64_t ", "arg_int", "int64_t ", false, true},
    {"dims", "PARAM_DIMS", "Ints ", "arg_ints", "const int64_t *", false, true},
    {"newdim", "PARAM_NEWDIM", "int64_t ", "arg_int", "int64_t ", false, true},
    {"pos", "PARAM_POS", "int64_t ", "arg_int", "int64_t ", false, true},
    {"dtype", "PARAM_DTYPE", "int ", "arg_dtype", "tocha_dtype ", false, false},
    {"generator", "PARAM_GENERATOR", "Generator *", "arg_generator", "tocha_generator *", false,
     false},
    {"device", "PARAM_DEVICE", "Device ", "arg_device", "tocha_device ", false, false},
};

static void die(const char *op, const char *what, const char *text) {
    fprintf(stderr, "ops.def: %s: %s: '%s'\n", op, what, text);
    exit(1);
}

static const Type *type_find(const char *op, const char *name) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    die(op, "unknown type", name);
    return NULL;
}

/* Copies text up to end, without the blanks around it. */
static void copy_trimmed(const char *op, char *out, size_t size, const char *text,
                         const char *end) {
    while (text < end && isspace((unsigned char)*text)) {
        text++;
    }
    while (end > text && isspace((unsigned char)end[-1])) {
        end--;
    }
    if ((size_t)(end - text) >= size) {
        die(op, "too long", text);
    }
    memcpy(out, text, (size_t)(end - text));
    out[end - text] = '\0';
}

static bool drop_suffix(char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    if (n < m || strcmp(text + n - m, suffix) != 0) {
        return false;
    }
    text[n - m] = '\0';
    return true;
}

static void param_parse(const char *op, const char *text, const char *end, ParsedParam *p) {
    char words[120], type[40];
    const char *equals = memchr(text, '=', (size_t)(end - text));
    if (equals) {
        p->has_fallback = true;
        copy_trimmed(op, p->fallback, sizeof p->fallback, equals + 1, end);
    }
    copy_trimmed(op, words, sizeof words, text, equals ? equals : end);
    const char *blank = strchr(words, ' ');
    if (!blank) {
        die(op, "expected 'type name'", words);
    }
    copy_trimmed(op, type, sizeof type, words, blank);
    copy_trimmed(op, p->name, sizeof p->name, blank, words + strlen(words));
    p->variadic = drop_suffix(p->name, "...");
    p->optional = drop_suffix(type, "?") || p->has_fallback;
    p->written = drop_suffix(type, "!");
    p->type = type_find(op, type);
}

void signature_parse(const char *op, const char *text, Signature *s) {
    memset(s, 0, sizeof *s);
    const char *arrow = strstr(text, "->");
    const char *end = arrow ? arrow : text + strlen(text);
    while (text < end && strspn(text, " ") < (size_t)(end - text)) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        if (s->n_params == MAX_PARAMS) {
            die(op, "too many parameters", text);
        }
        param_parse(op, text, stop, &s->param[s->n_params++]);
        text = comma ? comma + 1 : end;
    }
    for (const char *o = arrow ? arrow + 2 : NULL; o;) {
        const char *comma = strchr(o, ',');
        copy_trimmed(op, s->output[s->n_outs++], sizeof s->output[0], o,
                     comma ? comma : o + strlen(o));
        o = comma ? comma + 1 : NULL;
    }
    if (s->n_outs == 0) {
        strcpy(s->output[0], "out");
        s->n_outs = 1;
    }
}

static unsigned read_bit(const char *op, const char *name, const Signature *s) {
    int tensors = 0;
    for (int i = 0; i < s->n_params; i++) {
        if (s->param[i].type->tensor) {
            if (strcmp(s->param[i].name, name) == 0) {
                return 1u << tensors;
            }
            tensors++;
        }
    }
    for (int i = 0; i < s->n_outs; i++) {
        if (strcmp(s->output[i], name) == 0) {
            return 1u << (16 + i);
        }
    }
    die(op, "reads names neither a tensor argument nor an output", name);
    return 0;
}

/* The names between text and end, apart by blanks. */
static unsigned reads_list(const char *op, const char *text, const char *end, const Signature *s) {
    unsigned mask = 0;
    while (text < end) {
        size_t n = strcspn(text, " ;");
        if (n == 0) {
            text++;
            continue;
        }
        char name[40];
        copy_trimmed(op, name, sizeof name, text, text + n);
        mask |= read_bit(op, name, s);
        text += n;
    }
    return mask;
}

void reads_parse(const char *op, const char *reads, const Signature *s, unsigned *mask) {
    bool apart = strchr(reads, ';') != NULL;
    for (int i = 0, tensor = 0; i < s->n_params; i++) {
        if (!s->param[i].type->tensor) {
            continue;
        }
        const char *end = reads + strcspn(reads, ";");
        mask[tensor++] = reads_list(op, reads, end, s);
        if (apart) {
            reads = *end ? end + 1 : end;
        }
    }
    if (apart && *reads) {
        die(op, "reads has more parts than there are tensor arguments", reads);
    }
}
