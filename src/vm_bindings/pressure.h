#ifndef TOCHA_PRESSURE_H
#define TOCHA_PRESSURE_H
/* Lua's collector and the memory behind tensors.
 *
 * Lua sees 40 bytes a tensor. So the binding counts what stands behind new ones, and every MiB of
 * it collects the young: a pass over what is new since the last one, whose cost does not depend on
 * how much there is besides, and which hands the memory of a temporary to the next but one. Young
 * collections never free a tensor that two of them saw alive; a full one comes when live memory has
 * grown by half since the last, as the engine counts it. */
#include <lua.h>

#include "base/tls.h"
#include "tensor/tensor.h"

/* Sets the collector's mode; once for each Lua state. */
void pressure_open(lua_State *L);

/* A tensor has come to Lua. A storage counts when it first does, even by a view or while the graph
 * has it too. */
void pressure_add(const Tensor *t);

/* Whether it is time to collect: best before an op, whose result then finds the memory of what was
 * dropped. */
extern THREAD_LOCAL bool pressure_due;

/* Collects the young or, where that seems not enough, all. Finalizers run. */
void pressure_relieve(lua_State *L);

/* Frees all that Lua has dropped. */
void pressure_collect_all(lua_State *L);
#endif
