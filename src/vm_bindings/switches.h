#ifndef TOCHA_SWITCHES_H
#define TOCHA_SWITCHES_H
/* The engine's modes, such as recording, for a block of Lua code. They follow the coroutine: what
 * one switches holds in it and in what it resumes, and nowhere else while it is suspended. */
#include "vm_bindings/bind.h"

typedef struct Switch {
    struct Switch *next;
    lua_State *L; /* the coroutine that it holds in */
    Modes modes;
    bool active;
    bool casts; /* mixed precision is on: its cache lives until the last such one ends */
} Switch;

/* Switches L to these modes until switch_pop(); *s stays the caller's. */
void switch_push(lua_State *L, Switch *s, Modes wanted);
/* May be called for one that was popped already. */
void switch_pop(lua_State *L, Switch *s);
/* L runs now: its modes, or those of whoever resumed it, are in force. */
void switch_follow(lua_State *L);
#endif
