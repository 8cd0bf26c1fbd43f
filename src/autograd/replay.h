#ifndef TOCHA_REPLAY_H
#define TOCHA_REPLAY_H
/* Checkpointing. While modes.replay is set, the nodes that are recorded save nothing; when a
 * gradient rule first asks one of them for a saved value, the call is run once more, and the nodes
 * it then records, the same ones in the same order, hand over what they saved. */
#include "autograd/tape.h"

struct Replay {
    atomic_int refs;
    bool collecting; /* the call is running for the second time */
    bool done;
    Autocast autocast; /* the first time's */
    int64_t count;     /* nodes recorded the first time */
    int64_t n, capacity;
    Node **fresh; /* those of the second time that have not handed over yet; owned */
    /* Runs the call again, with the thread's modes as they are now; false: error recorded. */
    bool (*again)(Replay *r);
    void (*release)(Replay *r); /* frees the struct when nobody has it any more */
};

/* Enters a node that was just recorded; false: error recorded. */
bool replay_enter(Replay *r, Node *n);
/* Gets the saved values of a node that belongs to a replay; false: error recorded. */
bool replay_fetch(Node *n);
/* The node of that number needs its values no more. */
void replay_forget(Replay *r, int64_t place);
void replay_release(Replay *r);
#endif
