#ifndef TOCHA_CALLBACK_H
#define TOCHA_CALLBACK_H
/* Lua values that the engine's structures keep, and calls from inside the engine back into Lua. A
 * node with a callback may be freed on any thread, and after the Lua state is closed: a callback is
 * therefore only marked as dropped then, and its state lets go of the value when it next looks. */
#include "vm_bindings/bind.h"

typedef struct Callback Callback;

/* Once a state, before anything else here. */
void callback_open(lua_State *L);
/* Keeps the value at idx; NULL: error recorded. May raise. */
Callback *callback_new(lua_State *L, int idx);
/* Lets go of it, from any thread; c may be NULL. */
void callback_drop(Callback *c);
/* Pushes the value; L belongs to the state that it came from. */
void callback_push(lua_State *L, const Callback *c);
/* Calls body(ctx as a light userdata) in the running state, inside the engine: whatever it raises
 * is recorded as the thread's error and raised again at the binding's edge. who: for an error if c
 * belongs to another state. */
bool callback_call(const Callback *c, lua_CFunction body, void *ctx, const char *who);
/* Pushes what was raised. */
void callback_push_raised(lua_State *L);
bool callback_any_dropped(void);
/* Lets go of the values of L's state that were dropped; does not raise. */
void callback_sweep(lua_State *L);
#endif
