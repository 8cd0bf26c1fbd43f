--- Samples of the Fourier transforms.

local values = require "tests.harness.values"

local random = values.random

--- Samples of a transform along one dim. half: input is the half of what is real on the other side.
local function one_dim(dtypes, half)
    local list = {
        dtypes = dtypes,
        {{input = random {6}}},
        {{input = random {3, 5}}},
        {{input = random {3, 4, 2}, dim = 2}},
        {{input = random {2, 8}, n = 5}},
        {{input = random {2, 4}, n = 7}},
        {{input = random {4, 3}, n = 6, dim = 1, norm = "ortho"}},
        {{input = random {5}, norm = "forward"}},
        {{input = random {2, 3}, norm = "backward"}},
        {{input = random {0, 3}}},
        {{input = random {17}}, second = false},
        {{input = random {9, 16}}, second = false},
        {{input = random {19, 33}}, grad = false},
        {{input = random {37}}, second = false},
        {{input = random {2}}},
        {{input = random {}}, error = "input must have at least one dim", covers = "scalar"},
        {{input = random {4}, n = 0}, error = "at least 1 number, got 0"},
        {{input = random {4}, norm = "sqrt"}, error = 'norm must be "backward", "ortho" or "forward", got "sqrt"'},
        {{input = random {4}, dim = 2}, error = "dim must be"},
    }
    if not half then
        list[#list + 1] = {{input = random {1}}}
        list[#list + 1] = {{input = random {2, 0}}, error = "at least 1 number, got 0"}
    end
    return list
end

local function several_dims(dtypes, two)
    local list = {
        dtypes = dtypes,
        {{input = random {3, 4}}},
        {{input = random {2, 3, 5}, dim = {1, 3}}},
        {{input = random {4, 3}, s = {3, 5}}},
        {{input = random {2, 4, 3}, s = {5, 4}, dim = {3, 1}, norm = "ortho"}},
        {{input = random {3, 2}, norm = "forward"}},
        {{input = random {0, 3, 4}, dim = {2, 3}}},
        {{input = random {3, 4}, s = {3}, dim = {1, 2}}, error = "s and dim must be of one length"},
        {{input = random {3, 4}, dim = {1, 1}}, error = "twice"},
        {{input = random {}}, error = "input has 0", covers = "scalar"},
    }
    if not two then
        list[#list + 1] = {{input = random {2, 3, 4}}}
        list[#list + 1] = {{input = random {2, 3, 4}, s = {4, 4}}}
        list[#list + 1] = {{input = random {6}}}
    end
    return list
end

local both, real, spectrum = "int8 bool wide complex", "int8 bool wide", "wide complex"

local function shift()
    return {
        dtypes = "all",
        {{input = random {5}}},
        {{input = random {4, 3}}},
        {{input = random {4, 3}, dim = 2}},
        {{input = random {2, 3, 4}, dim = {1, 3}}},
        {{input = random {}}, torch = "input.clone()"},
        {{input = random {0, 3}}},
        {{input = random {3}, dim = 2}, error = "dim must be"},
    }
end

local function frequencies(torch)
    return {
        torch = torch,
        dtypes = "float",
        {{n = 1}},
        {{n = 4}},
        {{n = 5, d = 0.5}},
        {{n = 9, d = -2}},
        {{n = 8}, plain = true, dtypes = "float32"},
        {{n = 0}, error = "at least 1 number, got 0", covers = "empty"},
        {{n = 3, d = 0}, error = "d must not be 0", covers = "scalar"},
    }
end

local samples = {
    fourier = {
        dtypes = "complex",
        torch = "(torch.fft.ifft(input, dim=dim, norm='forward') if inverse else torch.fft.fft(input, dim=dim))"
            .. " * scale",
        {{input = random {6}}},
        {{input = random {3, 5}, inverse = true, scale = 0.5}},
        {{input = random {4, 3}, dim = 1}},
        {{input = random {2, 6, 3}, dim = 2, inverse = true}},
        {{input = random {20, 18}, dim = 1}, second = false},
        {{input = random {0, 3}}},
        {{input = random {}}, error = "fourier: input must have at least one dim", covers = "scalar"},
    },
    fourier_real = {
        dtypes = "wide",
        torch = "torch.fft.rfft(input, dim=dim) * scale",
        {{input = random {6}}},
        {{input = random {5}}},
        {{input = random {1}}},
        {{input = random {3, 8}, scale = 0.5}},
        {{input = random {7, 3}, dim = 1}},
        {{input = random {3, 4, 2}, dim = 2}},
        {{input = random {2, 3, 2, 2}, dim = 2, scale = 2}, second = false},
        {{input = random {18, 4}}, second = false},
        {{input = random {0, 4}}},
        {{input = random {2, 0}}, error = "fourier_real: input must have numbers along dim, got shape 2x0"},
        {{input = random {}}, error = "fourier_real: input must have numbers along dim", covers = "scalar"},
    },
    fourier_to_real = {
        dtypes = "complex",
        torch = "torch.fft.irfft(input, n, dim=dim, norm='forward') * scale",
        {{input = random {4}, n = 6}},
        {{input = random {3}, n = 5}},
        {{input = random {1}, n = 1}},
        {{input = random {2}, n = 2}},
        {{input = random {3, 5}, n = 8, scale = 0.5}},
        {{input = random {4, 3}, n = 7, dim = 1}},
        {{input = random {3, 3, 2}, n = 4, dim = 2}},
        {{input = random {2, 2, 2, 2}, n = 3, dim = 2, scale = 2}, second = false},
        {{input = random {18, 3}, n = 4}, second = false},
        {{input = random {0, 3}, n = 4}},
        {{input = random {5}, n = 6}, error = "fourier_to_real: input must have n / 2 %+ 1 numbers .*got n = 6"},
        {{input = random {1}, n = 0}, error = "fourier_to_real: input must have n / 2 %+ 1 numbers .*got n = 0"},
        {{input = random {}, n = 2}, error = "fourier_to_real: input must have n / 2", covers = "scalar"},
    },
    fft_fft = one_dim(both),
    fft_ifft = one_dim(both),
    fft_rfft = one_dim(real),
    fft_irfft = one_dim(spectrum, true),
    fft_hfft = one_dim(spectrum, true),
    fft_ihfft = one_dim(real),
    fft_fft2 = several_dims(both, true),
    fft_ifft2 = several_dims(both, true),
    fft_rfft2 = several_dims(real, true),
    fft_irfft2 = several_dims(spectrum, true),
    fft_hfft2 = several_dims(spectrum, true),
    fft_ihfft2 = several_dims(real, true),
    fft_fftn = several_dims(both),
    fft_ifftn = several_dims(both),
    fft_rfftn = several_dims(real),
    fft_irfftn = several_dims(spectrum),
    fft_hfftn = several_dims(spectrum),
    fft_ihfftn = several_dims(real),
    fft_fftfreq = frequencies("torch.fft.fftfreq(n, d, dtype=dtype or torch.float32)"),
    fft_rfftfreq = frequencies("torch.fft.rfftfreq(n, d, dtype=dtype or torch.float32)"),
    fft_fftshift = shift(),
    fft_ifftshift = shift(),
    stft = {
        dtypes = "wide complex",
        torch = "torch.stft(input, n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided, "
            .. "return_complex, align_to_window)",
        {{input = random {12}, n_fft = 4}},
        {{input = random {2, 9}, n_fft = 4, hop_length = 2, window = random {4, low = 0.25}}},
        {{input = random {2, 10}, n_fft = 5, hop_length = 3, win_length = 3, window = random {3, low = 0.25},
            center = false, normalized = true}},
        {{input = random {9}, n_fft = 4, win_length = 2}},
        {{input = random {2, 9}, n_fft = 6, hop_length = 2, win_length = 4, window = random {4, low = 0.25},
            center = false, align_to_window = true}},
        {{input = random {9}, n_fft = 4, align_to_window = true},
            error = "stft: align_to_window is for center = false"},
        {{input = random {9}, n_fft = 4, pad_mode = "constant"}},
        {{input = random {9}, n_fft = 4, pad_mode = "replicate", onesided = false}},
        {{input = random {9}, n_fft = 4, pad_mode = "circular"}},
        {{input = random {9}, n_fft = 4, return_complex = false}},
        {{input = random {0, 9}, n_fft = 4}, dtypes = "wide",
            torch = "torch.zeros(0, 3, 10, dtype=torch.complex128)"},
        {{input = random {2, 2, 9}, n_fft = 4}, error = "stft: input must have shape %(L%) or %(B, L%), got 2x2x9"},
        {{input = random {}, n_fft = 4}, error = "stft: input must have shape", covers = "scalar"},
        {{input = random {9}, n_fft = 20, center = false}, error = "stft: n_fft must be at most 9.* got 20"},
        {{input = random {3}, n_fft = 8}, error = "stft: reflect cannot continue a signal of 3 entries"},
        {{input = random {9}, n_fft = 4, pad_mode = "mirror"}, error = 'stft: pad_mode must be .*got "mirror"'},
        {{input = random {9}, n_fft = 4, win_length = 5}, error = "stft: win_length must be in %[1, 4%].*got 5"},
        {{input = random {9}, n_fft = 4, window = random {3}}, error = "stft: window must be a vector of .*shape 3"},
        {{input = random {9}, n_fft = 4, hop_length = 0}, error = "stft: hop_length must be at least 1, got 0"},
        {{input = random {9}, n_fft = 4, onesided = true}, dtypes = "complex", error = "stft: onesided is for real"},
    },
    istft = {
        dtypes = "complex",
        torch = "torch.istft(input, n_fft, hop_length, win_length, window, center, normalized, onesided, length, "
            .. "return_complex)",
        {{input = random {3, 5}, n_fft = 4}},
        {{input = random {2, 3, 4}, n_fft = 4, hop_length = 2, window = random({4, low = 0.25, dtype = "float64"})},
            dtypes = "complex128"},
        {{input = random {2, 3, 4}, n_fft = 5, hop_length = 2, win_length = 3, center = true, normalized = true}},
        {{input = random {4, 5}, n_fft = 4, return_complex = true}},
        {{input = random {4, 5}, n_fft = 4, onesided = false}},
        {{input = random {3, 5}, n_fft = 4, length = 3}},
        {{input = random {3, 5}, n_fft = 4, center = false}},
        {{input = random {0, 3, 5}, n_fft = 4}, torch = "torch.zeros(0, 4, dtype=torch.float64)"},
        {{input = random {3}, n_fft = 4}, error = "istft: input must have shape", covers = "scalar"},
        {{input = random {5, 5}, n_fft = 4}, error = "istft: input must have 3 frequencies .*got shape 5x5"},
        {{input = random {3, 5}, n_fft = 4, return_complex = true}, error = "istft: a onesided spectrum"},
        {{input = random {3, 5}, n_fft = 4, length = 0}, error = "istft: length must be at least 1, got 0"},
        {{input = random {3, 5}, n_fft = 4, hop_length = 5}, error = "istft: hop_length must be at most win_length"},
        {{input = random {3, 5}, n_fft = 4, center = false, win_length = 2}, error = "istft: the windows leave"},
    },
}

for name, entry in pairs(samples) do
    entry.torch = entry.torch or ("default(torch.fft.%s)"):format(name:match "^fft_(.+)$")
end

return samples
