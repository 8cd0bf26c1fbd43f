#ifndef TOCHA_BIND_CUDA_H
#define TOCHA_BIND_CUDA_H
/* What the files share that tocha._cuda is made of. */
#include "vm_bindings/bind.h"

/* The device whose number is at idx, and its backend; raises where there is none. */
const Backend *bind_check_cuda(lua_State *L, int idx, const char *who, Device *d);
/* A type whose methods are also a table of the module on top of the stack, under that name, so that
 * Lua can add to them. */
void bind_cuda_type(lua_State *L, const char *type, const char *name, const luaL_Reg *methods,
                    lua_CFunction collect);
/* Adds graphs to the module. */
void bind_graph(lua_State *L);

static inline int raise_if(lua_State *L, bool failed) { return failed ? bind_raise(L) : 0; }
#endif
