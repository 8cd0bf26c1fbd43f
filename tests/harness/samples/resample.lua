--- Samples of resampling, and of arranging pixels and channels anew.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function append(list, more)
    return table.move(more, 1, #more, #list + 1, list)
end

local function with(a, b)
    local all = {}
    for _, fields in ipairs {a, b or {}} do
        for key, value in pairs(fields) do
            all[key] = value
        end
    end
    return all
end

--- input, size, options of resample.
local resamplings = {
    {{1, 2, 5}, {8}, {mode = "nearest"}},
    {{1, 2, 5}, {3}, {mode = "nearest-exact"}},
    {{2, 1, 5}, {7}, {mode = "linear"}},
    {{2, 1, 5}, {7}, {mode = "linear", align_corners = true}},
    {{1, 1, 7}, {3}, {mode = "area"}},
    {{1, 1, 5}, {7}, {mode = "linear", scales = {1.5}}},
    {{1, 1, 5}, {7}, {mode = "nearest", scales = {1.5}}},
    {{1, 2, 3, 4}, {6, 8}, {mode = "nearest"}},
    {{1, 2, 5, 4}, {3, 7}, {mode = "nearest-exact"}},
    {{1, 2, 3, 4}, {5, 7}, {mode = "linear"}},
    {{1, 1, 4, 3}, {2, 5}, {mode = "linear", align_corners = true}},
    {{1, 1, 3, 4}, {3, 4}, {mode = "linear"}},
    {{1, 1, 4, 5}, {7, 3}, {mode = "cubic"}},
    {{1, 1, 4, 5}, {6, 9}, {mode = "cubic", align_corners = true}},
    {{1, 1, 9, 8}, {4, 3}, {mode = "linear", antialias = true}},
    {{1, 1, 9, 8}, {4, 11}, {mode = "cubic", antialias = true}},
    {{1, 1, 9, 8}, {4, 5}, {mode = "linear", antialias = true, align_corners = true}},
    {{1, 2, 5, 7}, {2, 3}, {mode = "area"}},
    {{1, 1, 4, 3}, {10, 4}, {mode = "linear", scales = {2.7, 1.5}}},
    {{1, 1, 2, 3, 2}, {4, 3, 5}, {mode = "nearest"}},
    {{1, 1, 2, 3, 3}, {3, 5, 4}, {mode = "linear"}},
    {{1, 1, 3, 2, 3}, {2, 4, 5}, {mode = "linear", align_corners = true}},
    {{1, 1, 3, 4, 5}, {2, 2, 3}, {mode = "area"}},
}

local function resampled()
    local list = {torch = "resample(input, size, mode, align_corners, antialias, scales)", rtol = 2e-6, ulps = 2}
    for _, r in ipairs(resamplings) do
        list[#list + 1] = {with({input = small(table.unpack(r[1])), size = r[2]}, r[3])}
    end
    local x = small(1, 1, 4, 4)
    return append(list, {
        {{input = small(0, 2, 4), size = {3}, mode = "linear"}},
        {{input = literal {{{1.0, 0 / 0, 3.0, math.huge, 5.0}}}, size = {10}}, grad = false},
        {{input = x, size = {2, 2}, mode = "bilinear"}, error = 'resample: mode must be "nearest", .* got "bilinear"'},
        {{input = x, size = {2}}, error = "resample: size must have 2 numbers, one for each dim of the images, got 1"},
        {{input = x, size = {0, 2}}, error = "resample: sizes must be between 1 and %d+, got 0"},
        {{input = x, size = {2, 2}, antialias = true}, error = "resample: antialias goes with the modes"},
        {{input = x, size = {2, 2}, scales = {0.5, 3}},
            error = "resample: a scale of 3 does not make a size of 2 from 4"},
        {{input = x, size = {2, 2}, scales = {0.5}}, error = "resample: scales must have 2 numbers"},
        {{input = x, size = {1 << 31, 2}}, error = "resample: sizes must be between"},
        {{input = small(), size = {2}}, error = "resample: input must be %(n, c, l%), .* got scalar"},
    })
end

local function resampled_back()
    local list = {
        torch = "input_gradient(lambda x: resample(x, grad.shape[2:], mode, align_corners, antialias, scales), " ..
            "input_size, grad)",
        rtol = 4e-6,
        ulps = 3,
    }
    for _, r in ipairs(resamplings) do
        local shape = {r[1][1], r[1][2], table.unpack(r[2])}
        list[#list + 1] = {with({grad = small(table.unpack(shape)), input_size = r[1]}, r[3])}
    end
    return append(list, {
        {{grad = small(0, 1, 3), input_size = {0, 1, 2}}},
        {{grad = small(1, 1, 3), input_size = {1, 2, 2}},
            error = "resample_backward: grad must have the result's shape"},
        {{grad = small(), input_size = {1, 2, 2}}, error = "resample_backward: grad must be %(n, c, l%)"},
    })
end

local interpolations = {
    {{1, 2, 4}, {size = 6}},
    {{1, 2, 4}, {scale_factor = 1.6, mode = "linear", align_corners = false}},
    {{1, 2, 4}, {scale_factor = 1.6, mode = "linear", recompute_scale_factor = true}},
    {{1, 2, 4, 3}, {size = {3, 5}, mode = "bilinear"}},
    {{1, 2, 4, 3}, {scale_factor = {2, 1.5}, mode = "bicubic", align_corners = true}},
    {{1, 1, 8, 6}, {scale_factor = 0.5, mode = "bilinear", antialias = true}},
    {{1, 1, 5, 6}, {scale_factor = 0.5, mode = "area"}},
    {{1, 1, 3, 4}, {scale_factor = 2, mode = "nearest-exact"}},
    {{1, 1, 2, 3, 2}, {size = 4, mode = "trilinear"}},
}

local function interpolated()
    local list = {
        dtypes = "float",
        rtol = 4e-6,
        ulps = 2,
        torch = "F.interpolate(input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)",
    }
    for _, i in ipairs(interpolations) do
        list[#list + 1] = {with({input = small(table.unpack(i[1]))}, i[2])}
    end
    local x = small(1, 1, 4, 4)
    return append(list, {
        {{input = small(0, 2, 4), size = 3}},
        {{input = x}, error = "interpolate: either size or scale_factor must be given"},
        {{input = x, size = 2, scale_factor = 2}, error = "interpolate: either size or scale_factor must be given"},
        {{input = x, size = 2, mode = "linear"}, error = 'interpolate: mode "linear" is for images %(n, c, l%), got'},
        {{input = x, size = 2, mode = "cubic"}, error = "interpolate: mode must be"},
        {{input = x, size = 2, align_corners = true}, error = "interpolate: align_corners goes with"},
        {{input = x, size = 2, antialias = true}, error = "interpolate: antialias goes with"},
        {{input = x, size = {2, 2, 2}}, error = "interpolate: size must have 1 or 2 numbers"},
        {{input = x, scale_factor = 0.1}, error = "interpolate: scale_factor makes a height of 0 from 4"},
        {{input = x, scale_factor = 1e30}, error = "interpolate: scale_factor makes a height of"},
        {{input = x, size = 2, recompute_scale_factor = true}, error = "interpolate: recompute_scale_factor goes with"},
        {{input = small(), size = 2}, error = "interpolate: input must be"},
    })
end

return {
    resample = resampled(),
    resample_backward = resampled_back(),
    interpolate = interpolated(),
    upsample = {
        dtypes = "float",
        torch = "F.interpolate(input, size, scale_factor, mode, align_corners)",
        {{input = small(1, 2, 3), size = 6}},
        {{input = small(1, 1, 3, 2), scale_factor = 2, mode = "bilinear", align_corners = true}, rtol = 4e-6},
        {{input = small(0, 2, 3), size = 6}},
        {{input = small(), size = 6}, error = "upsample: input must be"},
    },
    pixel_shuffle = {
        dtypes = "any",
        torch = "torch.pixel_shuffle(input, upscale_factor)",
        {{input = random {1, 8, 2, 3}, upscale_factor = 2}},
        {{input = random {9, 1, 2}, upscale_factor = 3}},
        {{input = random {2, 1, 4, 1, 1}, upscale_factor = 1}},
        {{input = random {0, 4, 2, 2}, upscale_factor = 2}, grad = false},
        {{input = random {1, 6, 2, 2}, upscale_factor = 2}, error = "pixel_shuffle: the 6 channels of input 1x6x2x2"},
        {{input = random {4, 2, 2}, upscale_factor = 0}, error = "pixel_shuffle: the factor must be between 1"},
        {{input = random {}, upscale_factor = 1}, error = "pixel_shuffle: input must be %(..., c, h, w%), got scalar"},
    },
    pixel_unshuffle = {
        dtypes = "any",
        torch = "torch.pixel_unshuffle(input, downscale_factor)",
        {{input = random {1, 2, 4, 6}, downscale_factor = 2}},
        {{input = random {1, 3, 6}, downscale_factor = 3}},
        {{input = random {0, 1, 2, 2}, downscale_factor = 2}, torch = "input.reshape(0, 4, 1, 1)"},
        {{input = random {1, 3, 4}, downscale_factor = 2}, error = "pixel_unshuffle: height and width of input 1x3x4"},
        {{input = random {}, downscale_factor = 1}, error = "pixel_unshuffle: input must be"},
    },
    channel_shuffle = {
        dtypes = "any",
        torch = "F.channel_shuffle(input, groups)",
        {{input = random {2, 6, 3}, groups = 3}},
        {{input = random {1, 4, 2, 2}, groups = 2}},
        {{input = random {1, 4, 0, 2}, groups = 2}},
        {{input = random {1, 4, 2}, groups = 3}, error = "channel_shuffle: groups must divide the 4 channels"},
        {{input = random {}, groups = 1}, error = "channel_shuffle: input must be"},
    },
}
