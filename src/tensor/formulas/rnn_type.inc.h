/* The body of rnn.h, included once per type: T, NAME(x), which gives f_x_<type>, and the names of
 * structs. */

/* The gates of a cell, or their gradients: input, forget, cell and output; reset, update and new,
 * and what the reset gate scales. */
typedef struct LSTM {
    T i, f, g, o;
} LSTM;

typedef struct GRU {
    T r, z, n, q;
} GRU;

TOCHA_HD T NAME(rnn_relu)(T x) { return x < 0 ? (T)0 : x; }

/* Gradients by the sum in the function, given the function's value y. */
TOCHA_HD T NAME(rnn_tanh_back)(T g, T y) { return g * (1 - y * y); }
TOCHA_HD T NAME(rnn_relu_back)(T g, T y) { return y > 0 ? g : (T)0; }

/* The cell, given the one before; the state is o times the tanh of it. */
TOCHA_HD T NAME(lstm_cell)(T i, T f, T g, T before) { return f * before + i * g; }

/* The gradient of the cell, given that of the state, t = tanh(cell) and what else there is. */
TOCHA_HD T NAME(lstm_cell_back)(T dh, T o, T t, T carry, T more) {
    return carry + dh * o * (1 - t * t) + more;
}

/* The gradients of the sums in the gates, given those of the state, of the cell, and what else
 * there is of the gates themselves. */
TOCHA_HD LSTM NAME(lstm_back)(LSTM k, T t, T before, T dh, T dc, LSTM more) {
    LSTM d;
    d.i = (dc * k.g + more.i) * k.i * (1 - k.i);
    d.f = (dc * before + more.f) * k.f * (1 - k.f);
    d.g = (dc * k.i + more.g) * (1 - k.g * k.g);
    d.o = (dh * t + more.o) * k.o * (1 - k.o);
    return d;
}

TOCHA_HD T NAME(gru_state)(T z, T n, T before) { return n + z * (before - n); }

/* As lstm_back; q is the gradient of what the reset gate scales. The state before gets dh z. */
TOCHA_HD GRU NAME(gru_back)(GRU k, T before, T dh, GRU more) {
    GRU d;
    d.z = (dh * (before - k.n) + more.z) * k.z * (1 - k.z);
    d.n = (dh * (1 - k.z) + more.n) * (1 - k.n * k.n);
    d.q = d.n * k.r + more.q;
    d.r = (d.n * k.q + more.r) * k.r * (1 - k.r);
    return d;
}
