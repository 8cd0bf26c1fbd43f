--- Samples of padding.

local values = require "tests.harness.values"

local random, literal = values.random, values.literal

local pads = {
    {{1, 2, 5}, {2, 1}},
    {{2, 4}, {3, 0}},
    {{1, 3, 4}, {1, 2, 2, 1}},
    {{1, 2, 3, 4}, {3, -1, 0, 2}},
    {{1, 3, 2, 3}, {1, 1, 1, 0, 2, 1}},
    {{1, 1, 3, 2, 3}, {-1, 2, 1, 1, 0, -1}},
}

local torch = "F.pad(input, pad, mode, value)"

local function padded()
    local list = {torch = torch}
    for _, mode in ipairs {"reflect", "replicate", "circular"} do
        for _, p in ipairs(pads) do
            list[#list + 1] = {{input = random(p[1]), pad = p[2], mode = mode}, dtypes = "float complex"}
        end
        list[#list + 1] = {{input = random {2, 0}, pad = {1, 1}, mode = mode},
            error = 'pad: mode must be "constant" where'}
    end
    local more = {
        {{input = random {3}, pad = {2, 1}}},
        {{input = random {2, 3}, pad = {1, 0, 2, 1}, value = 1}, dtypes = "real"},
        {{input = random {2, 3}, pad = {1, 0}, value = 1.5}, dtypes = "float complex"},
        {{input = random {2, 3}, pad = {1, 1}, value = 1.5}, dtypes = "int", error = "pad: value"},
        {{input = random {2, 3, 4}, pad = {-1, -2, 1, -1}}},
        {{input = random {2, 3}, pad = {-3, 2}}},
        {{input = random {2, 3}, pad = {}}},
        {{input = random {}, pad = {}}},
        {{input = random {2, 0}, pad = {1, 2, 0, 1}}},
        {{input = literal {1.0, 0 / 0, math.huge}, pad = {1, 1}}, dtypes = "float", grad = false},
        {{input = random {1, 2, 2, 1, 1}, pad = {0, 1, 0, 1, 0, 1, 1, 0, 1, 1}}},
        {{input = random {3}, pad = {1}},
            error = "pad: pad must have two numbers for each of the last dims of 3, got 1"},
        {{input = random {3}, pad = {1, 1, 1, 1}}, error = "pad: pad must have two numbers"},
        {{input = random {3}, pad = {-2, -2}}, error = "pad: dim 1 of 3 has no 4 entries to take away"},
        {{input = random {1, 3}, pad = {3, 0}, mode = "reflect"},
            error = 'pad: "reflect" can add at most 2 to dim 2 of'},
        {{input = random {1, 3}, pad = {4, 0}, mode = "circular"},
            error = 'pad: "circular" can add at most 3 to dim 2'},
        {{input = random {1, 3}, pad = {2, -2}, mode = "circular"}, error = 'pad: "circular" can add at most 1 to'},
        {{input = random {1, 3}, pad = {1, 0}, mode = "mirror"}, error = 'pad: mode must be .* got "mirror"'},
        {{input = random {1, 3}, pad = {1, 0}, mode = "reflect", value = 1}, error = "pad: value goes with mode"},
        {{input = random {1, 3}, pad = {1 << 61, 0}}, error = "pad: pad must be between"},
        {{input = random {1, 3}, pad = {1 << 59, 0}}, error = "pad: "},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

local function backward()
    local list = {torch = "input_gradient(lambda x: F.pad(x, pad, mode), input_size, grad)"}
    for _, mode in ipairs {"reflect", "replicate", "circular"} do
        for _, p in ipairs(pads) do
            local shape = table.move(p[1], 1, #p[1], 1, {})
            for i = 1, #p[2] // 2 do
                local d = #shape + 1 - i
                shape[d] = shape[d] + p[2][2 * i - 1] + p[2][2 * i]
            end
            list[#list + 1] = {{grad = random(shape), input_size = p[1], pad = p[2], mode = mode}}
        end
    end
    local more = {
        {{grad = random {0, 2, 4}, input_size = {0, 2, 3}, pad = {1, 0}}},
        {{grad = random {2, 3}, input_size = {2, 3}, pad = {0, 0}, mode = "constant"},
            error = "pad_backward: mode must be"},
        {{grad = random {2, 3}, input_size = {2, 3}, pad = {1, 0}},
            error = "pad_backward: grad must have the result's"},
        {{grad = random {}, input_size = {2, 3}, pad = {1, 0}}, error = "pad_backward: grad must have the result's"},
    }
    return table.move(more, 1, #more, #list + 1, list)
end

return {pad = padded(), pad_backward = backward()}
