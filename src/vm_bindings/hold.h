#ifndef TOCHA_HOLD_H
#define TOCHA_HOLD_H
/* For C functions behind Lua code that words and places the errors itself: they answer nil and a
 * message instead of raising one. */
#include "vm_bindings/bind.h"

/* Pushes a userdata with n entries, all NULL; the collector releases what stands in them. An entry
 * owns its reference. Raises an error where Lua has no memory. */
Tensor **hold_tensors(lua_State *L, size_t n);
/* Pushes the tensor of an entry, which becomes NULL. */
void hold_push(lua_State *L, Tensor **entry);

typedef bool HoldFn(void *ctx);
/* Runs f(ctx) in a scope; after an allocation failure collects garbage and tries once more. */
bool hold_run(lua_State *L, HoldFn *f, void *ctx);
/* Pushes nil and the engine's error, which it clears; returns 2. */
int hold_failure(lua_State *L);

#endif
