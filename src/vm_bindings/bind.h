#ifndef TOCHA_BIND_H
#define TOCHA_BIND_H
/* The Lua binding: module tocha.core. Lua errors are raised only here, never while a scope is open
 * (invariant 2): functions parse first, run the engine in a scope, close it, then raise.
 *
 * A box keeps its tensor only until somebody closes it, and whatever allocates in Lua may run
 * finalizers, which may do that. So a tensor is taken from its box after the last allocation
 * before the engine runs, or bind_recheck() looks at the boxes once more. */
#include <lauxlib.h>
#include <lua.h>

#include "tensor/op.h"
#include "vm_bindings/pressure.h"

/* The userdata of a tensor. magic tells it from other libraries' userdata; t is NULL once freed. */
typedef struct Box {
    const void *magic;
    Tensor *t;
} Box;
extern const char box_magic;

/* Remembers the running state for where_now() and switches to its modes; every entry into the
 * engine starts with it. */
void bind_enter(lua_State *L);
/* The state that entered the engine last. */
lua_State *bind_running(void);
/* Raises the thread's recorded error at the user's line, and clears it. */
int bind_raise(lua_State *L);
/* Puts who in front of the thread's error where it is a bare "out of memory". Returns false. */
bool bind_name_failure(const char *who);
/* luaL_error, but at the line of the user's code: frames of Tocha's own Lua files are skipped. */
int bind_error(lua_State *L, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "integer 3", "string \"abc\"", "table", "tensor 2x3": what came, for error texts. Pushes it. */
const char *bind_describe(lua_State *L, int idx);

/* The tensor at idx, or NULL if there is none; raises "who: ..." for one that was freed. */
Tensor *bind_to_tensor(lua_State *L, int idx, const char *who);
/* The tensor at idx, or NULL if there is none or it was freed; never raises. */
Tensor *bind_peek_tensor(lua_State *L, int idx);
/* Whether a generator stands at idx; *g is then what the engine takes for it. */
bool bind_peek_generator(lua_State *L, int idx, Generator **g);
/* The integer at idx; raises "who: what must be an integer, got ..." otherwise. */
lua_Integer bind_check_integer(lua_State *L, int idx, const char *who, const char *what);
/* The tensor at idx; raises "who: expected a tensor, got ..." otherwise. */
Tensor *lua_check_tensor(lua_State *L, int idx, const char *who);
/* The same for one whose elements are to be read; raises for one that stands for a vmap's samples.
 */
Tensor *bind_check_values(lua_State *L, int idx, const char *who);
/* Collects garbage. */
void bind_collect(lua_State *L);
/* The same where it is time to, before the boxes of an op are made: a full collection makes old
 * what is alive. */
static inline void bind_before_boxes(lua_State *L) {
    if (pressure_due) {
        bind_collect(L);
    }
}
/* Pushes an empty box (may raise: before a scope opens). */
Box *bind_push_box(lua_State *L);
/* Pushes a tensor that the caller keeps a reference to as well; nil for NULL. */
void lua_push_tensor(lua_State *L, Tensor *t);

/* Runs f(ctx) in a scope and gives back what it returns (n results into boxes pushed before);
 * after an allocation failure collects garbage and tries once more. Raises on failure. */
typedef bool BindFn(void *ctx, Tensor **out);
void bind_run(lua_State *L, BindFn *f, void *ctx, Box **box, int n);
/* The same without a second attempt, for what cannot be repeated. */
void bind_run_once(lua_State *L, BindFn *f, void *ctx, Box **box, int n);
/* Zeroed memory; collects garbage and tries again before it raises an error in who's name. */
void *bind_zalloc(lua_State *L, size_t bytes, const char *who);
/* After an allocation has failed: clears that error, collects garbage and opens a scope that keeps
 * the tensors among the arguments until the caller closes it. False: the caller's error stands. */
bool bind_make_room(lua_State *L, int *mark);

/* Arguments of one operator call, read off the Lua stack. */
enum { PARSED_INTS = 32, PARSED_TENSORS = 32, PARSED_LISTS = 6 };
typedef struct Parsed {
    Arg arg[MAX_ARGS];
    int n_ints, n_tensors;
    int n_lists; /* lists of tensors */
    struct {
        int at; /* the stack entry of the table */
        const Arg *arg;
    } list[PARSED_LISTS];
    bool has_numbers; /* numbers stand where the row wants tensors */
    bool allocated;   /* finalizers may have run since a tensor was read */
    int64_t ints[PARSED_INTS];
    Tensor *tensors[PARSED_TENSORS];
} Parsed;
/* Parses stack entries 1..last for op; what it leaves on the stack stays there until the call ends.
 * Raises, except for a mismatch when quiet: then false, the stack as it was, so that another form
 * can be tried. */
bool bind_parse(lua_State *L, const Op *op, int last, Parsed *p, bool quiet);
/* Raises if a tensor that was read off stack entries 1..last and first..top, or off a table there,
 * has been freed or replaced since. */
void bind_recheck(lua_State *L, const Op *op, int last, int first, const Parsed *p);
/* Turns numbers given for tensors into tensors; needs a scope. */
bool bind_wrap_numbers(const Op *op, Parsed *p);

/* x[key] and x[key] = value: metamethods for keys that are no strings. */
int bind_index_get(lua_State *L);
int bind_index_set(lua_State *L);

/* Pushes the field of that name of the tensor at 1; false where tensors have none. */
bool bind_push_property(lua_State *L, const char *name);
/* x.name = value: sets the field or raises. */
int bind_set_property(lua_State *L);
/* Pushes a list that prints as a shape. v may stand in a tensor that a finalizer frees meanwhile.
 */
void bind_push_shape(lua_State *L, const int64_t *v, int n);

/* Each adds its functions to the table on top of the stack (core). */
void bind_ops(lua_State *L);
void bind_tensor(lua_State *L);
void bind_bytes(lua_State *L);
void bind_pinned(lua_State *L);
void bind_create(lua_State *L);
void bind_autograd(lua_State *L);
void bind_modes(lua_State *L);
void bind_hooks(lua_State *L);
void bind_functions(lua_State *L);
void bind_node(lua_State *L);
void bind_batch(lua_State *L);
void bind_generator(lua_State *L);
void bind_help(lua_State *L);
void bind_session(lua_State *L);
void bind_serialize(lua_State *L);
void bind_files(lua_State *L);
void bind_cuda(lua_State *L);
/* Registers functions both in core (top of the stack) and as tensor methods. */
void bind_methods(lua_State *L, const luaL_Reg *functions);
/* Push the tensors' metatable, the table of their methods. */
void bind_push_metatable(lua_State *L);
void bind_push_methods(lua_State *L);
#endif
