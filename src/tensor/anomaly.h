#ifndef TOCHA_ANOMALY_H
#define TOCHA_ANOMALY_H
/* Anomaly mode: the first op that makes a nan or an infinity out of finite numbers is an error. */
#include "tensor/op.h"

/* True if all numbers and elements that the call reads are finite; also where that cannot be
 * found out, with an error recorded. */
bool anomaly_inputs_finite(const Call *c);
/* False, with an error that begins with who, if t has elements that are not finite. */
bool anomaly_check(const char *who, Tensor *t);
/* The same for the results of a call on finite inputs. Calls without tensors give what was asked
 * for and are not looked at. */
bool anomaly_check_call(const Call *c, Tensor *const *out);
/* "nan", "inf" or NULL for what t holds besides finite numbers; false: error recorded. */
bool anomaly_find(Tensor *t, const char **what);
#endif
