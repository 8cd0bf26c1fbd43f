#ifndef TOCHA_FORMULA_RNN_H
#define TOCHA_FORMULA_RNN_H

/* Cells of recurrent networks between their matrix products, for one entry of the state, forward
 * and back. */

#include "tensor/formulas/hyper.h"

#define T       float
#define LSTM    FLstmF32
#define GRU     FGruF32
#define NAME(x) f_##x##_f32
#include "tensor/formulas/rnn_type.inc.h"
#undef T
#undef LSTM
#undef GRU
#undef NAME

#define T       double
#define LSTM    FLstmF64
#define GRU     FGruF64
#define NAME(x) f_##x##_f64
#include "tensor/formulas/rnn_type.inc.h"
#undef T
#undef LSTM
#undef GRU
#undef NAME

#endif
