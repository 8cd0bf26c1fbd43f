#include "cpu/kernels/rnn.h"

#include <stddef.h>

#include "cpu/kernels/isa_name.h"
#include "tensor/formulas/rnn.h"

#define T       float
#define F(x)    f_##x##_f32
#define LSTM    FLstmF32
#define GRU     FGruF32
#define NAME(x) x##_f32
#include "rnn_type.inc.c"
#undef T
#undef F
#undef LSTM
#undef GRU
#undef NAME

#define T       double
#define F(x)    f_##x##_f64
#define LSTM    FLstmF64
#define GRU     FGruF64
#define NAME(x) x##_f64
#include "rnn_type.inc.c"

#define BOTH(name) \
    { name##_f32, name##_f64 }

extern const RnnTable ISA_NAME(rnn_table);
const RnnTable ISA_NAME(rnn_table) = {
    {BOTH(tanh_step), BOTH(relu_step), BOTH(lstm_step), BOTH(gru_step)},
    {BOTH(tanh_back), BOTH(relu_back), BOTH(lstm_back), BOTH(gru_back)}};
