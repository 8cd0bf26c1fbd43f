#ifndef TOCHA_OP_H
#define TOCHA_OP_H
/* The operator table: everything Tocha computes. Rows stand in ops.def; the build's generator
 * (gen/gen.c) turns them into op_table, the wrappers t_name() and the public C interface. */
#include "base/error.h"
#include "base/tls.h"
#include "tensor/generator.h"
#include "tensor/tensor.h"

typedef enum {
    PARAM_TENSOR,  /* takes part in dtype promotion or must match, see OPF_PROMOTE */
    PARAM_INDEX,   /* an integer tensor; arrives as int64, values 1-based (INDEX_BASE) */
    PARAM_MASK,    /* a bool tensor */
    PARAM_TENSORS, /* a list */
    PARAM_INDICES, /* a list of int64 or bool tensors; entries may be missing */
    PARAM_INT,
    PARAM_INTS,  /* a list of ints; one int stands for a list of one */
    PARAM_SHAPE, /* the same, sizes */
    PARAM_FLOAT,
    PARAM_FLOATS, /* a list of numbers; one stands for a list of one */
    PARAM_NUMBER, /* int or float: ARG_INT or ARG_FLOAT */
    PARAM_SCALAR, /* the same, or ARG_COMPLEX where the tensors are complex */
    PARAM_BOOL,
    PARAM_STRING,
    PARAM_DIM,    /* a dim of the first tensor: 1-based in Lua; normalised by op_call */
    PARAM_DIMS,   /* a list of such, without repeats */
    PARAM_NEWDIM, /* a dim of the first tensor after one has been inserted */
    PARAM_POS,    /* an index along a dim: 1-based in Lua, negatives from the end */
    PARAM_DTYPE,
    PARAM_DEVICE,
    PARAM_GENERATOR /* where a random op takes its stream from; the default one if missing */
} ParamType;

typedef struct Param {
    const char *name;
    uint8_t type;
    bool optional; /* has a default or may be left out */
    bool variadic; /* takes the remaining positional numbers: zeros(2, 3) */
    bool written;  /* Tensor!: the kernel writes into it */
    Arg fallback;
    const char *fallback_text; /* as the row wrote it, for help; NULL where there is none */
} Param;

typedef enum {
    CLASS_UNARY,
    CLASS_BINARY,
    CLASS_COMPARE,
    CLASS_REDUCE,
    CLASS_VIEW,
    CLASS_OP,
    CLASS_COMPOSE
} OpClass;

enum {
    OPF_PROMOTE = 1, /* tensor arguments are promoted to one dtype */
    OPF_INPLACE = 2, /* has the form name_ */
    OPF_RANDOM = 4,
    OPF_WRITES = 8, /* has a Tensor! parameter; never differentiable */
    OPF_MIXED = 16, /* tensor arguments keep their dtypes; the call's is that of the first */
    /* The in-place form may hand the kernel its first argument as output 0 ... */
    OPF_DIRECT = 256,
    /* ... where it writes at positions that others say, so that these must not share its memory. */
    OPF_POSITIONS = 512,
    OPF_CAST = 128, /* the last parameter, a dtype, is the one to compute in: input is cast first */
    /* What vmap needs to know where the class of a row does not say it: extra dims in front of all
     * tensors pass through, dims are counted from behind them; ... */
    OPF_LEADING = 1 << 16,
    /* ... tensors are broadcast, element by element; ... */
    OPF_BROADCASTS = 1 << 17,
    /* ... or a COMPOSE row looks at values, and runs once for each sample. */
    OPF_VALUES = 1 << 18,
    /* Linear in its first two tensors, to which it adds a third: complex ones go by their parts. */
    OPF_PARTS = 1 << 19,
    /* Tensors may stand on any devices; the call runs on that of the first. */
    OPF_ANYWHERE = 1 << 20,
    /* Computed by a library that only some devices have: without a CPU kernel. */
    OPF_LIBRARY = 1 << 21,
    /* Worked out by the generator: */
    OPF_PLAIN = 32, /* its tensor parameters are all of type Tensor */
    OPF_DIMS = 64   /* has parameters that op_call normalises */
};

/* The dtype of a class row's result, given that of its arguments. */
typedef enum {
    RESULT_SAME,
    RESULT_BOOL,
    RESULT_SUM,  /* integers and bools give int64 */
    RESULT_INDEX /* int64 */
} OpResult;

typedef struct Call Call;
typedef struct Back Back;
/* Fills c->spec from the arguments; false with an error recorded. */
typedef bool InferFn(Call *c);
/* The gradient for flattened tensor argument i, given g, the gradient of output 0 (see back.h).
 * NULL without an error: no gradient flows. */
typedef Tensor *GradFn(Back *n, int i, Tensor *g);
/* Computes an op by calling others; several outputs go to out, the first is returned too. */
typedef Tensor *ComposeFn(const Arg *a, Tensor **out);

struct Op {
    const char *name; /* with the overload's suffix: "max__dim" */
    const char *public_name;
    const char *sig, *reads, *doc, *outputs; /* outputs: "values, indices" or "" */
    uint16_t id;
    uint8_t op_class, result, n_params, n_outs;
    uint8_t tensor_params; /* how many parameters take tensors */
    uint32_t dtypes, flags;
    const Param *params;
    InferFn *infer;
    GradFn *grad;
    ComposeFn *compose;
    /* Per tensor parameter, what its gradient reads: bit k for tensor parameter k, 16 + k for
     * output k. */
    const uint32_t *reads_mask;
};

/* What infer decides of one output. */
typedef struct OutSpec {
    int dtype, dim;
    bool strided; /* stride (and for views offset) are set; else contiguous */
    int64_t offset;
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
} OutSpec;

struct Call {
    const Op *op;
    const Arg *arg; /* by position in the signature */
    Tensor **in;    /* tensor arguments flattened; NULL where an optional one is missing */
    int n_in;
    int dtype; /* common dtype of the promoted or matched tensor arguments; DT_NONE without any */
    Device device;
    OutSpec spec[MAX_OUTS];
};

#include "ops_gen.h" /* enum OpId, N_OPS, t_name() wrappers, rule prototypes */

extern const Op op_table[N_OPS];

/* The one door through which every computation passes (invariant 1). arg has op->n_params
 * entries; out receives op->n_outs tensors of the innermost scope. False: error recorded, nothing
 * changed that the caller can see (invariant 3). */
bool op_call(const Op *op, const Arg *arg, Tensor **out);
/* Lets the recorded error begin with "name: ", in place of the name of an op that was called on the
 * way: users are told about the op that they called. */
void op_name_error(const char *name);
/* The form name_: output 0 is written into the first argument. */
bool op_call_inplace(const Op *op, const Arg *arg);
const Op *op_find(const char *name);
KernelFn *op_kernel(const Op *op, int device_kind);
/* Registers a backend; checks its ABI and that every row names an op. */
bool backend_register(int device_kind, const Backend *b);
/* The backend of a device that exists, loaded if need be; NULL after recording an error. */
const Backend *backend_of(Device d);
/* The backend of a kind of device, loaded if need be. NULL: *why is the end of a sentence about
 * what is missing; no error is recorded. */
const Backend *backend_find(int device_kind, const char **why);
/* Argument constructors for wrappers and rules. */
static inline Arg arg_none(void) { return (Arg){.kind = ARG_NONE}; }
static inline Arg arg_tensor(Tensor *t) { return (Arg){.kind = ARG_TENSOR, .t = t}; }
static inline Arg arg_tensor_opt(Tensor *t) { return t ? arg_tensor(t) : arg_none(); }
static inline Arg arg_tensors(TensorList l) {
    return (Arg){.kind = ARG_TENSORS, .count = l.n, .ts = l.v};
}
static inline Arg arg_int(int64_t i) { return (Arg){.kind = ARG_INT, .i = i}; }
static inline Arg arg_float(double f) { return (Arg){.kind = ARG_FLOAT, .f = f}; }
static inline Arg arg_bool(bool b) { return (Arg){.kind = ARG_BOOL, .b = b}; }
static inline Arg arg_string(const char *s) {
    return s ? (Arg){.kind = ARG_STRING, .s = s} : arg_none();
}
static inline Arg arg_ints(Ints v) {
    return v.n < 0 ? arg_none() : (Arg){.kind = ARG_INTS, .count = v.n, .ints = v.v};
}
static inline Arg arg_floats(Floats v) {
    return v.n < 0 ? arg_none() : (Arg){.kind = ARG_FLOATS, .count = v.n, .floats = v.v};
}
/* Of the real and the imaginary part, which live as long as the call. */
static inline Arg arg_complex(const double *parts) {
    return (Arg){.kind = ARG_COMPLEX, .count = 2, .floats = parts};
}
static inline Arg arg_dtype(int dtype) { return dtype < 0 ? arg_none() : arg_int(dtype); }
static inline Arg arg_generator(Generator *g) {
    return g ? (Arg){.kind = ARG_GENERATOR, .generator = g} : arg_none();
}
static inline Arg arg_device(Device d) { return arg_int(d.kind << 8 | d.index); }
static inline Device device_of_arg(Arg a) {
    return a.kind == ARG_NONE ? (Device){DEVICE_CPU, 0}
                              : (Device){(int8_t)(a.i >> 8), (int8_t)(a.i & 255)};
}
static inline Generator *generator_of_arg(Arg a) {
    return a.kind == ARG_GENERATOR ? a.generator : NULL;
}
/* Of what is not complex. */
static inline double arg_number(Arg a) { return a.kind == ARG_FLOAT ? a.f : (double)a.i; }
static inline Ints arg_as_ints(Arg a) {
    return a.kind == ARG_NONE ? NO_INTS : (Ints){a.ints, a.count};
}
static inline Floats arg_as_floats(Arg a) {
    return a.kind == ARG_NONE ? NO_FLOATS : (Floats){a.floats, a.count};
}

/* Helpers for infer rules. */
void spec_set(OutSpec *s, int dtype, Ints shape);
/* Expands a list of 1 or n ints to n ("conv2d: stride must have 1 or 2 numbers, got 3"). */
bool op_ints(const Call *c, int arg, int n, int64_t *out);
/* Position pos along a size, from 0-based or negative; false: "op: name must be in [..], got .." */
bool op_position(const Call *c, int arg, int64_t size, int64_t *pos);

/* Mixed precision, see autocast.h. */
typedef struct Autocast {
    bool on;                       /* on some kind of device */
    bool uncached;                 /* casts of weights are not kept */
    uint8_t dtype[N_DEVICE_KINDS]; /* the half type to compute in; 0: off there */
} Autocast;

/* Thread-local switches. */
typedef struct Modes {
    bool recording; /* the tape is on (default) */
    bool inference; /* results never join a graph; not together with recording */
    bool anomaly;   /* the first nan or inf is an error */
    Autocast autocast;
    struct Capture *capture; /* what is done on its device is recorded, see capture.h */
    struct Replay *replay;   /* nodes are recorded for it: checkpointing, see autograd/replay.h */
} Modes;
extern THREAD_LOCAL Modes modes;

/* What a binding hands over for a 0 that a user gave as a dim or position, which count from 1. */
#define POSITION_ZERO INT64_MIN

/* Index tensors count from 1, as Lua does; importers of 0-based formats convert (invariant 11). */
enum { INDEX_BASE = 1 };
#endif
