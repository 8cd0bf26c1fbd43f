#ifndef TOCHA_CPU_FFT_LINE_H
#define TOCHA_CPU_FFT_LINE_H
/* The transform of one contiguous line. */
#include "cpu/fft_plan.h"

/* Transforms plan->n pairs of parts from in to out (another memory), inversely with swap. Long ones
 * use several threads. False: out of memory, error recorded. */
bool fft_line(const FftPlan *p, const void *in, void *out, bool swap, double scale);

/* Whether fft_line_in needs nothing but memory of fft_line_bytes, so that tasks may call it. */
bool fft_line_is_simple(const FftPlan *p);
size_t fft_line_bytes(const FftPlan *p);
void fft_line_in(const FftPlan *p, void *memory, const void *in, void *out, bool swap,
                 double scale);
#endif
