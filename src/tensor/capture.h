#ifndef TOCHA_CAPTURE_H
#define TOCHA_CAPTURE_H
/* Graphs of a device: what a piece of program gives to it, recorded once and run again as often as
 * one likes, on the same memory. While one is recorded (modes.capture) kernels are noted instead of
 * run; whatever would wait for the device is an error. */
#include "tensor/op.h"

typedef struct Capture Capture;

/* Starts recording on the calling thread; NULL with an error recorded. */
Capture *capture_begin(Device device);
/* Ends it; false with an error: nothing can be replayed. */
bool capture_end(Capture *c);
/* What calls of optimiser steps mean from now on, until it is NUMBERS_FIXED again: while c is
 * recorded, or before a replay. */
bool capture_numbers(Capture *c, GraphNumbers what);
/* Gives it to the device again, behind what that was given so far. Random numbers are new ones, of
 * the default generator. */
bool capture_replay(Capture *c);
/* How many nodes were recorded. */
int64_t capture_size(const Capture *c);
void capture_free(Capture *c);
/* Until it is called with false, work and memory are as if c were not being recorded. */
void capture_pause(Capture *c, bool pause);
Device capture_device(const Capture *c);

/* What op_call does while modes.capture is set. The memory that the call reads or writes and that
 * the graph has not made itself lives as long as the graph does. */
bool capture_note(const Call *call);
/* Counters for n elements of a random op; false: the op draws from a generator of its own. */
bool capture_take(Generator *g, uint64_t n, uint64_t *offset);

#endif
