/* Steps of recurrent layers for one compute type T, whose functions are TANH and SIGMOID. */

static void NAME(tanh_step)(const RnnStep *s) {
    for (int64_t r = 0; r < s->rows; r++) {
        const T *a = (const T *)s->hidden + r * s->h, *bias = s->bias;
        T *restrict now = (T *)s->h_now + r * s->h;
        for (int64_t i = 0; i < s->h; i++) now[i] = TANH(a[i] + bias[i]);
    }
}

static void NAME(relu_step)(const RnnStep *s) {
    for (int64_t r = 0; r < s->rows; r++) {
        const T *a = (const T *)s->hidden + r * s->h, *bias = s->bias;
        T *restrict now = (T *)s->h_now + r * s->h;
        for (int64_t i = 0; i < s->h; i++) {
            T x = a[i] + bias[i];
            now[i] = x < 0 ? 0 : x;
        }
    }
}

static void NAME(lstm_step)(const RnnStep *s) {
    int64_t h = s->h;
    const T *bias = s->bias;
    for (int64_t r = 0; r < s->rows; r++) {
        const T *a = (const T *)s->hidden + r * 4 * h, *before = (const T *)s->c_before + r * h;
        T *restrict k = (T *)s->kept + r * 4 * h;
        T *restrict c = (T *)s->c_now + r * h, *restrict now = (T *)s->h_now + r * h;
        for (int64_t i = 0; i < 2 * h; i++) k[i] = SIGMOID(a[i] + bias[i]);
        for (int64_t i = 2 * h; i < 3 * h; i++) k[i] = TANH(a[i] + bias[i]);
        for (int64_t i = 3 * h; i < 4 * h; i++) k[i] = SIGMOID(a[i] + bias[i]);
        for (int64_t i = 0; i < h; i++) c[i] = k[h + i] * before[i] + k[i] * k[2 * h + i];
        for (int64_t i = 0; i < h; i++) now[i] = k[3 * h + i] * TANH(c[i]);
    }
}

static void NAME(gru_step)(const RnnStep *s) {
    int64_t h = s->h;
    const T *bias = s->bias;
    for (int64_t r = 0; r < s->rows; r++) {
        const T *x = (const T *)s->gates + r * 3 * h, *a = (const T *)s->hidden + r * 3 * h;
        const T *before = (const T *)s->h_before + r * h;
        T *restrict k = (T *)s->kept + r * 4 * h, *restrict now = (T *)s->h_now + r * h;
        for (int64_t i = 0; i < 2 * h; i++) k[i] = SIGMOID(x[i] + (a[i] + bias[i]));
        for (int64_t i = 0; i < h; i++) k[3 * h + i] = a[2 * h + i] + bias[2 * h + i];
        for (int64_t i = 0; i < h; i++) k[2 * h + i] = TANH(x[2 * h + i] + k[i] * k[3 * h + i]);
        for (int64_t i = 0; i < h; i++) {
            T n = k[2 * h + i], z = k[h + i];
            now[i] = n + z * (before[i] - n);
        }
    }
}

static T NAME(extra)(const T *grad, int64_t i) { return grad ? grad[i] : 0; }

static const T *NAME(part)(const void *x, int64_t at) { return x ? (const T *)x + at : NULL; }

static void NAME(tanh_back)(const RnnBack *s) {
    const T *grad = s->grad, *now = s->h_now;
    T *restrict carry = s->h_carry, *restrict d = s->gates;
    for (int64_t i = 0; i < s->rows * s->h; i++) {
        d[i] = (grad[i] + carry[i]) * (1 - now[i] * now[i]);
        carry[i] = 0;
    }
}

static void NAME(relu_back)(const RnnBack *s) {
    const T *grad = s->grad, *now = s->h_now;
    T *restrict carry = s->h_carry, *restrict d = s->gates;
    for (int64_t i = 0; i < s->rows * s->h; i++) {
        d[i] = now[i] > 0 ? grad[i] + carry[i] : 0;
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
            T i = k[j], f = k[h + j], g = k[2 * h + j], o = k[3 * h + j], t = TANH(c[j]);
            T dh = grad[j] + carry[j];
            T dc = c_carry[j] + dh * o * (1 - t * t) + NAME(extra)(more, j);
            d[j] = (dc * g + NAME(extra)(kept, j)) * i * (1 - i);
            d[h + j] = (dc * before[j] + NAME(extra)(kept, h + j)) * f * (1 - f);
            d[2 * h + j] = (dc * i + NAME(extra)(kept, 2 * h + j)) * (1 - g * g);
            d[3 * h + j] = (dh * t + NAME(extra)(kept, 3 * h + j)) * o * (1 - o);
            c_carry[j] = dc * f;
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
            T r = k[j], z = k[h + j], n = k[2 * h + j], q = k[3 * h + j], dh = grad[j] + carry[j];
            T dz = (dh * (before[j] - n) + NAME(extra)(kept, h + j)) * z * (1 - z);
            T dn = (dh * (1 - z) + NAME(extra)(kept, 2 * h + j)) * (1 - n * n);
            T dq = dn * r + NAME(extra)(kept, 3 * h + j);
            T dr = (dn * q + NAME(extra)(kept, j)) * r * (1 - r);
            d[j] = hidden[j] = dr;
            d[h + j] = hidden[h + j] = dz;
            d[2 * h + j] = dn;
            hidden[2 * h + j] = dq;
            carry[j] = dh * z;
        }
    }
}
