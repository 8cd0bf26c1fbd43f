--- Samples of turning, repeating and joining.

local values = require "tests.harness.values"

local random, literal, positions = values.random, values.literal, values.positions

local function stacks(torch, bad)
    return {
        torch = torch,
        dtypes = "all",
        {{tensors = {random {3}, random {3}}}},
        {{tensors = {random {2, 3}, random {2, 3}}}},
        {{tensors = {random {2, 3, 2}, random {2, 3, 2}, random {2, 3, 2}}}},
        {{tensors = {random {}, random {}}}},
        {{tensors = {random {0, 3}, random {0, 3}}}},
        {{tensors = {random {2, 3}, random {3, 2}}}, error = bad or "%a+: sizes must agree except in dim"},
        {{tensors = {}}, error = "%a+: tensors must hold at least one tensor$"},
    }
end

local function views(torch)
    return {torch = torch, dtypes = "all"}
end

local function add(entry, ...)
    for _, sample in ipairs {...} do
        entry[#entry + 1] = sample
    end
    return entry
end

return {
    flip = {
        torch = "torch.flip(input, dims)",
        {{input = random {5}, dims = {1}}},
        {{input = random {3, 4}, dims = {1}}},
        {{input = random {3, 4}, dims = {1, -1}}},
        {{input = random {2, 3, 4}, dims = {3, 1}}},
        {{input = random {40, 41}, dims = {1, 2}}, dtypes = "float32 uint8"},
        {{input = random {}, dims = {1}}, torch = "input.clone()"},
        {{input = random {0, 3}, dims = {1}}},
        {{input = random {2, 3}, dims = {3}}, error = "flip: dims must be .*%[%-2, 2%] %(2 dims%), got 3$"},
    },
    fliplr = add(views("torch.fliplr(input)"),
        {{input = random {2, 3}}}, {{input = random {2, 0}}},
        {{input = random {}}, error = "fliplr: input must have at least 2 dims, got shape scalar$"}),
    flipud = add(views("torch.flipud(input)"),
        {{input = random {2, 3}}}, {{input = random {0}}},
        {{input = random {}}, error = "flipud: input must have at least 1 dim, got shape scalar$"}),
    roll = add(views("torch.roll(input, shifts, dims)"),
        {{input = random {5}, shifts = {2}}, torch = "torch.roll(input, shifts)"},
        {{input = random {3, 4}, shifts = {-3}}, torch = "torch.roll(input, shifts)"},
        {{input = random {3, 4}, shifts = {1}, dims = {1}}},
        {{input = random {3, 4}, shifts = {7, -1}, dims = {2, 1}}},
        {{input = random {3, 4}, shifts = {4}, dims = {2}}},
        {{input = random {}, shifts = {2}}, torch = "input.clone()"},
        {{input = random {0, 3}, shifts = {2}, dims = {1}}},
        {{input = random {3, 4}, shifts = {1, 2}, dims = {1}}, error = "roll: shifts must have one number for each"}),
    rot90 = add(views("torch.rot90(input, k, [0, 1] if dims is None else dims)"),
        {{input = random {2, 3}}},
        {{input = random {2, 3}, k = 2}},
        {{input = random {2, 3}, k = -1}},
        {{input = random {2, 3}, k = 4}},
        {{input = random {2, 3, 4}, k = 3, dims = {2, 3}}},
        {{input = random {0, 3}}},
        {{input = random {}}, error = "rot90: input must have at least 2 dims"}),
    ["repeat"] = add(views("input.repeat(repeats)"),
        {{input = random {3}, repeats = {2}}},
        {{input = random {2, 3}, repeats = {2, 3}}},
        {{input = random {2, 3}, repeats = {2, 1, 3}}},
        {{input = random {}, repeats = {2, 2}}},
        {{input = random {}, repeats = {}}},
        {{input = random {2, 3}, repeats = {0, 2}}},
        {{input = random {0, 3}, repeats = {2, 2}}},
        {{input = random {2, 2, 2, 2, 2}, repeats = {2, 1, 2, 3, 2}}},
        {{input = random {2, 1, 2, 2, 2}, repeats = {2, 3, 2, 2, 2}}},
        {{input = random {2, 2, 2, 2, 2}, repeats = {2, 2, 2, 2, 2}}},
        {{input = random {2, 3}, repeats = {2}},
            error = "repeat: repeats must have a number for each of input's 2 dims"},
        {{input = random {2}, repeats = {-1}}, error = "repeat: .*negative"}),
    tile = add(views("torch.tile(input, dims)"),
        {{input = random {3}, dims = {2}}},
        {{input = random {2, 3}, dims = {2}}},
        {{input = random {2, 3}, dims = {2, 1, 3}}},
        {{input = random {}, dims = {2}}},
        {{input = random {0, 3}, dims = {2}}}),
    repeat_interleave = add(views("torch.repeat_interleave(input, repeats, dim)"),
        {{input = random {3}, repeats = 2}},
        {{input = random {2, 3}, repeats = 2}},
        {{input = random {2, 3}, repeats = 2, dim = 2}},
        {{input = random {2, 3, 4}, repeats = 3, dim = -2, output_size = 9}},
        {{input = random {}, repeats = 3}},
        {{input = random {0}, repeats = 3}},
        {{input = random {2, 0}, repeats = 3, dim = 1}},
        {{input = random {2}, repeats = 0}},
        {{input = random {2}, repeats = -1}, error = "repeat_interleave: repeats must not be nega"},
        {{input = random {2}, repeats = 2, output_size = 5},
            error = "repeat_interleave: output_size must be the sum of repeats, 4, got 5$"}),
    repeat_interleave__each = add(views("torch.repeat_interleave(input, repeats, dim)"),
        {{input = random {2, 3}, repeats = positions {2, 0, 3}, dim = 2}},
        {{input = random {2, 3}, repeats = positions {1, 2}, dim = 1, output_size = 3}, layouts = "sliced"},
        {{input = random {2, 3}, repeats = positions {2}, dim = 1}},
        {{input = random {}, repeats = positions {3}}},
        {{input = random {0}, repeats = positions({}, {shape = {0}})}},
        {{input = random {2}, repeats = positions {1, -1}}, error = "repeat_interleave: repeats must not be negative"},
        {{input = random {2}, repeats = positions {1, 1, 1}}, error = "repeat_interleave: repeats must be a whole"},
        {{input = random {2}, repeats = positions {2, 2}, output_size = 5},
            error = "repeat_interleave: output_size must be the sum of repeats, 4, got 5$"}),
    hstack = stacks("torch.hstack(tensors)"),
    vstack = stacks("torch.vstack(tensors)"),
    dstack = stacks("torch.dstack(tensors)"),
    column_stack = stacks("torch.column_stack(tensors)"),
    movedim = add(views("torch.movedim(input, source, destination)"),
        {{input = random {2, 3, 4}, source = {1}, destination = {3}}},
        {{input = random {2, 3, 4}, source = {1, -1}, destination = {2, 1}}},
        {{input = random {}, source = {1}, destination = {1}}},
        {{input = random {0, 3}, source = {1}, destination = {2}}},
        {{input = random {2, 3}, source = {1, 2}, destination = {1}}, error = "movedim: source and destination must"}),
    swapdims = add(views("torch.swapdims(input, dim0, dim1)"),
        {{input = random {2, 3, 4}, dim0 = 1, dim1 = 3}},
        {{input = random {}, dim0 = 1, dim1 = -1}},
        {{input = random {0, 3}, dim0 = 1, dim1 = 2}}),
    take_along_dim = add(views("torch.take_along_dim(input, wrap(indices, input if dim is not None else " ..
        "input.reshape(-1), dim or 0), dim)"),
        {{input = random {3, 4}, indices = positions {{2, 1}, {4, 4}, {1, -1}}, dim = 2}},
        {{input = random {3, 4}, indices = positions {{2}, {4}, {1}}, dim = 2}},
        {{input = random {3, 4}, indices = positions {{2, 1}}, dim = -1}},
        {{input = random {3, 4}, indices = positions {12, 1, 5}}},
        {{input = random {}, indices = positions(1)}},
        {{input = random {3, 2}, indices = positions({}, {shape = {0, 2}}), dim = 1}},
        {{input = literal {1, 2, 3}, indices = positions {4}, dim = 1}, error = "4"},
        {{input = random {3, 4}, indices = positions {1}, dim = 1},
            error = "take_along_dim: indices must have input's dims"}),
}
