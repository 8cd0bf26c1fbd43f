/* Steps of recurrent layers for one compute type T, whose formulas are F(x) on structs LSTM and
 * GRU. */

static void NAME(tanh_step)(const RnnStep *s) {
    for (int64_t r = 0; r < s->rows; r++) {
        const T *a = (const T *)s->hidden + r * s->h, *bias = s->bias;
        T *restrict now = (T *)s->h_now + r * s->h;
        for (int64_t i = 0; i < s->h; i++) now[i] = F(tanh)(a[i] + bias[i]);
    }
}

static void NAME(relu_step)(const RnnStep *s) {
    for (int64_t r = 0; r < s->rows; r++) {
        const T *a = (const T *)s->hidden + r * s->h, *bias = s->bias;
        T *restrict now = (T *)s->h_now + r * s->h;
        for (int64_t i = 0; i < s->h; i++) now[i] = F(rnn_relu)(a[i] + bias[i]);
    }
}

static void NAME(lstm_step)(const RnnStep *s) {
    int64_t h = s->h;
    const T *bias = s->bias;
    for (int64_t r = 0; r < s->rows; r++) {
        const T *a = (const T *)s->hidden + r * 4 * h, *before = (const T *)s->c_before + r * h;
        T *restrict k = (T *)s->kept + r * 4 * h;
        T *restrict c = (T *)s->c_now + r * h, *restrict now = (T *)s->h_now + r * h;
        for (int64_t i = 0; i < 2 * h; i++) k[i] = F(sigmoid)(a[i] + bias[i]);
        for (int64_t i = 2 * h; i < 3 * h; i++) k[i] = F(tanh)(a[i] + bias[i]);
        for (int64_t i = 3 * h; i < 4 * h; i++) k[i] = F(sigmoid)(a[i] + bias[i]);
        for (int64_t i = 0; i < h; i++) {
            c[i] = F(lstm_cell)(k[i], k[h + i], k[2 * h + i], before[i]);
        }
        for (int64_t i = 0; i < h; i++) now[i] = k[3 * h + i] * F(tanh)(c[i]);
    }
}

static void NAME(gru_step)(const RnnStep *s) {
    int64_t h = s->h;
    const T *bias = s->bias;
    for (int64_t r = 0; r < s->rows; r++) {
        const T *x = (const T *)s->gates + r * 3 * h, *a = (const T *)s->hidden + r * 3 * h;
        const T *before = (const T *)s->h_before + r * h;
        T *restrict k = (T *)s->kept + r * 4 * h, *restrict now = (T *)s->h_now + r * h;
        for (int64_t i = 0; i < 2 * h; i++) k[i] = F(sigmoid)(x[i] + (a[i] + bias[i]));
        for (int64_t i = 0; i < h; i++) k[3 * h + i] = a[2 * h + i] + bias[2 * h + i];
        for (int64_t i = 0; i < h; i++) k[2 * h + i] = F(tanh)(x[2 * h + i] + k[i] * k[3 * h + i]);
        for (int64_t i = 0; i < h; i++) now[i] = F(gru_state)(k[h + i], k[2 * h + i], before[i]);
    }
}

static T NAME(extra)(const T *grad, int64_t i) { return grad ? grad[i] : 0; }

static const T *NAME(part)(const void *x, int64_t at) { return x ? (const T *)x + at : NULL; }

static void NAME(tanh_back)(const RnnBack *s) {
    const T *grad = s->grad, *now = s->h_now;
    T *restrict carry = s->h_carry, *restrict d = s->gates;
    for (int64_t i = 0; i < s->rows * s->h; i++) {
        d[i] = F(rnn_tanh_back)(grad[i] + carry[i], now[i]);
        carry[i] = 0;
    }
}

static void NAME(relu_back)(const RnnBack *s) {
    const T *grad = s->grad, *now = s->h_now;
    T *restrict carry = s->h_carry, *restrict d = s->gates;
    for (int64_t i = 0; i < s->rows * s->h; i++) {
        d[i] = F(rnn_relu_back)(grad[i] + carry[i], now[i]);
        carry[i] = 0;
    }
}

static void NAME(lstm_back)(const RnnBack *s) {
    int64_t h = s->h;
    for (int64_t r = 0; r < s->rows; r++) {
        const T *k = (const T *)s->kept + r * 4 * h, *grad = (const T *)s->grad + r * h;
        const T *c = (const T *)s->c_now + r * h, *before = (const T *)s->c_before + r * h;
        const T *more = NAME(part)(s->c_grad, r * h), *kept = NAME(part)(s->kept_grad, r * 4 * h);
        T *restrict carry = (T *)s->h_carry + r * h, *restrict c_carry = (T *)s->c_carry + r * h;
        T *restrict d = (T *)s->gates + r * 4 * h;
        for (int64_t j = 0; j < h; j++) {
            LSTM gate = {k[j], k[h + j], k[2 * h + j], k[3 * h + j]};
            LSTM of_kept = {NAME(extra)(kept, j), NAME(extra)(kept, h + j),
                            NAME(extra)(kept, 2 * h + j), NAME(extra)(kept, 3 * h + j)};
            T t = F(tanh)(c[j]), dh = grad[j] + carry[j];
            T dc = F(lstm_cell_back)(dh, gate.o, t, c_carry[j], NAME(extra)(more, j));
            LSTM back = F(lstm_back)(gate, t, before[j], dh, dc, of_kept);
            d[j] = back.i;
            d[h + j] = back.f;
            d[2 * h + j] = back.g;
            d[3 * h + j] = back.o;
            c_carry[j] = dc * gate.f;
            carry[j] = 0;
        }
    }
}

static void NAME(gru_back)(const RnnBack *s) {
    int64_t h = s->h;
    for (int64_t row = 0; row < s->rows; row++) {
        const T *k = (const T *)s->kept + row * 4 * h, *grad = (const T *)s->grad + row * h;
        const T *before = (const T *)s->h_before + row * h;
        const T *kept = NAME(part)(s->kept_grad, row * 4 * h);
        T *restrict carry = (T *)s->h_carry + row * h;
        T *restrict d = (T *)s->gates + row * 3 * h, *restrict hidden =
                                                         (T *)s->hidden + row * 3 * h;
        for (int64_t j = 0; j < h; j++) {
            GRU gate = {k[j], k[h + j], k[2 * h + j], k[3 * h + j]};
            GRU of_kept = {NAME(extra)(kept, j), NAME(extra)(kept, h + j),
                           NAME(extra)(kept, 2 * h + j), NAME(extra)(kept, 3 * h + j)};
            T dh = grad[j] + carry[j];
            GRU back = F(gru_back)(gate, before[j], dh, of_kept);
            d[j] = hidden[j] = back.r;
            d[h + j] = hidden[h + j] = back.z;
            d[2 * h + j] = back.n;
            hidden[2 * h + j] = back.q;
            carry[j] = dh * gate.z;
        }
    }
}
