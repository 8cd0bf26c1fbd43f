#ifndef TOCHA_NODE_BOX_H
#define TOCHA_NODE_BOX_H
/* Nodes of the graph as Lua sees them: x.grad_fn. */
#include "autograd/tape.h"
#include "vm_bindings/bind.h"

/* Pushes an empty box; the node that is then put into it is owned by it. */
Node **node_box_push(lua_State *L);
#endif
