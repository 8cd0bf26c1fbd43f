--- Samples of looking images up at places.

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

--- Coordinates away from the places where pixels change.
local function places(...)
    return random {low = -1.3, high = 1.3, step = 0.0371, ...}
end

local function looked_up(torch, arguments, more)
    local list = {torch = torch, dtypes = "float", rtol = 1e-5, ulps = 3}
    for _, padding_mode in ipairs {"zeros", "border", "reflection"} do
        for i, align_corners in ipairs {false, true} do
            for _, mode in ipairs {"bilinear", "nearest", "bicubic"} do
                local options = {mode = mode, padding_mode = padding_mode, align_corners = align_corners}
                local args = arguments({1, 2, 4, 5}, {1, 3, 2, 2}, options)
                list[#list + 1] = {args, dtypes = "wide"}
                if mode ~= "bicubic" and i == 1 then
                    list[#list + 1] = {arguments({1, 1, 3, 2, 4}, {1, 2, 1, 2, 3}, options), dtypes = "wide"}
                end
            end
        end
    end
    return append(list, more)
end

local half = {{input = small(1, 2, 4, 4), grid = literal {{{{-0.5, 0.25}, {0.75, -0.125}}}}}}

return {
    grid_sample = with(looked_up("F.grid_sample(input, grid, mode, padding_mode, align_corners)",
        function(input, grid, options)
            return with({input = small(table.unpack(input)), grid = places(table.unpack(grid))}, options)
        end, {
            half,
            {{input = small(0, 2, 3, 3), grid = places(0, 2, 2, 2)}},
            {{input = small(1, 2, 3, 3), grid = places(1, 0, 2, 2)}},
            {{input = small(1, 2, 3, 3), grid = places(1, 2, 2, 3)},
                error = "grid_sample: grid must be %(n, oh, ow, 2%) for an input of 1x2x3x3, got 1x2x2x3"},
            {{input = small(1, 2, 3, 3), grid = places(1, 2, 2, 2), mode = "linear"},
                error = 'grid_sample: mode must be "bilinear", "nearest" or "bicubic", got "linear"'},
            {{input = small(1, 2, 3, 3), grid = places(1, 2, 2, 2), padding_mode = "edge"},
                error = 'grid_sample: padding_mode must be "zeros", "border" or "reflection", got "edge"'},
            {{input = small(1, 1, 2, 2, 2), grid = places(1, 1, 2, 2, 3), mode = "bicubic"},
                error = 'grid_sample: mode "bicubic" is for images'},
            {{input = small(), grid = places(1, 2, 2, 2)}, error = "grid_sample: input must be"},
        }), {dtypes = "float"}),
    grid_sampler = looked_up("sampler(input, grid, mode, padding_mode, align_corners, order)",
        function(input, grid, options)
            local order = #input == 5 and {0, 1, 0} or {1, 0}
            return with({input = small(table.unpack(input)), grid = places(table.unpack(grid)), order = order}, options)
        end, {
            half,
            {{input = small(1, 1, 3, 3), grid = places(1, 2, 2, 2), order = 2, mode = "bicubic"}, dtypes = "wide"},
            {{input = small(0, 2, 3, 3), grid = places(0, 2, 2, 2)}},
            {{input = small(1, 1, 3, 3), grid = places(1, 2, 2, 2), order = -1},
                error = "grid_sampler: order must be between"},
            {{input = small(1, 1, 3, 3), grid = places(1, 2, 2, 2), order = {1, 2, 3}},
                error = "grid_sampler: order must have"},
            {{input = small(), grid = places(1, 2, 2, 2)}, error = "grid_sampler: input must be"},
        }),
    grid_sampler_input_grad = looked_up(
        "sampler_input_grad(grad, grid, input_size, mode, padding_mode, align_corners, order)",
        function(input, grid, options)
            local shape = {1, input[2], table.unpack(grid, 2, #grid - 1)}
            return with({grad = small(table.unpack(shape)), grid = places(table.unpack(grid)),
                input_size = input}, options)
        end, {
            {{grad = small(1, 1, 1, 2), grid = literal {{{{-0.5, 0.25}, {0.75, -0.125}}}}, input_size = {1, 1, 4, 4}}},
            {{grad = small(0, 1, 1, 2), grid = places(0, 1, 2, 2), input_size = {0, 1, 4, 4}}},
            {{grad = small(1, 1, 1, 3), grid = places(1, 1, 2, 2), input_size = {1, 1, 4, 4}},
                error = "grid_sampler_input_grad: grad must have the result's shape 1x1x1x2, got 1x1x1x3"},
            {{grad = small(), grid = places(1, 1, 2, 2), input_size = {1, 1, 4, 4}},
                error = "grid_sampler_input_grad: grad must"},
        }),
    grid_sampler_grid_grad = looked_up(
        "sampler_grid_grad(grad, input, grid, mode, padding_mode, align_corners, order)",
        function(input, grid, options)
            local shape = {1, input[2], table.unpack(grid, 2, #grid - 1)}
            return with({grad = small(table.unpack(shape)), input = small(table.unpack(input)),
                grid = places(table.unpack(grid))}, options)
        end, {
            {{grad = small(1, 2, 1, 2), input = half[1].input, grid = half[1].grid}},
            {{grad = small(0, 1, 1, 2), input = small(0, 1, 4, 4), grid = places(0, 1, 2, 2)}},
            {{grad = small(), input = small(1, 1, 4, 4), grid = places(1, 1, 2, 2)},
                error = "grid_sampler_grid_grad: grad must"},
        }),
    affine_grid = {
        dtypes = "float",
        torch = "F.affine_grid(theta, size, align_corners)",
        rtol = 1e-6,
        ulps = 2,
        {{theta = small(2, 2, 3), size = {2, 1, 3, 4}}},
        {{theta = small(1, 2, 3), size = {1, 1, 1, 4}, align_corners = true}},
        {{theta = small(1, 3, 4), size = {1, 1, 2, 3, 2}}},
        {{theta = small(0, 2, 3), size = {0, 1, 2, 2}}, torch = "theta.new_zeros(0, 2, 2, 2) + theta.sum()"},
        {{theta = small(1, 2, 3), size = {2, 1, 2, 2}},
            error = "affine_grid: theta must be %(n, 2, 3%) for a size of 2x1x2x2"},
        {{theta = small(1, 2, 3), size = {1, 1, 2}}, error = "affine_grid: size must be"},
        {{theta = small(1, 2, 3), size = {1, 1, 0, 2}}, error = "affine_grid: sizes of images must be at least 1"},
        {{theta = small(), size = {1, 1, 2, 2}}, error = "affine_grid: theta must be"},
    },
}
