--- Prepares a line of ops.json for Tocha; torch_ops.py does the same for PyTorch. ops.md says what the words mean.
local tocha = require "tocha"
local nn = require "nn"

local ops = {}

local folder = debug.getinfo(1, "S").source:match "^@(.*)[^/]*%.lua$":gsub("[^/]*$", "")

local function read(path)
    local file <close> = assert(io.open(path))
    return file:read "a"
end

local lines = tocha._json_decode(read(folder .. "ops.json"))

--- What the names of sizes mean at n elements.
local function sizes_of(n)
    local rows = math.floor(math.sqrt(n / 1.6))
    return {rows = rows, columns = n // rows, vector = n, side = math.floor(math.sqrt(n)), batch = n // 256 + 1}
end

local shapes = {
    matrix = "rowsxcolumns", square = "sidexside", row = "columns", column = "rowsx1", ["column-vector"] = "rows",
}

local function split(text, pattern)
    local list = {}
    for part in text:gmatch(pattern) do
        list[#list + 1] = part
    end
    return list
end

local function parse_shape(word, sizes)
    local shape = split(shapes[word] or word, "[^x]+")
    for i, part in ipairs(shape) do
        shape[i] = sizes[part] or assert(math.tointeger(tonumber(part)), word)
    end
    return shape
end

local fill = {}

function fill.normal(shape) return tocha.randn(shape) end
function fill.uniform(shape) return tocha.rand(shape) * 0.98 + 0.01 end
function fill.positive(shape) return tocha.rand(shape) * 1.5 + 0.5 end
function fill.bool(shape) return tocha.rand(shape):gt(0.5) end
function fill.ints(shape, most) return tocha.randint(1, most, shape) end
function fill.index(shape, most) return tocha.randint(1, most, shape) end
function fill.small(shape) return tocha.randn(shape) * 0.01 end
function fill.ascending(shape) return (tocha.sort(tocha.rand(shape))) end

function fill.definite(shape)
    local n = shape[#shape]
    return tocha.randn(shape) * (0.1 / math.sqrt(n)) + tocha.eye(n) * 2
end

function fill.triangular(shape) return fill.definite(shape):tril() end

--- The tensor that a token such as "matrix index:rows" or "64x10 float64" names.
local function tensor(token, sizes, turned)
    local words = split(token, "%S+")
    local shape, make, most, dtype = parse_shape(words[1], sizes), fill.normal, nil, nil
    for i = 2, #words do
        local kind, limit = words[i]:match "^(%a+):(%w+)$"
        kind = kind or words[i]
        if fill[kind] then
            make, most = fill[kind], limit and (sizes[limit] or tonumber(limit))
        else
            dtype = kind
        end
    end
    local swap = turned and (words[1] == "matrix" or words[1] == "square")
    local x = make(swap and {shape[2], shape[1]} or shape, most)
    x = dtype and x:to(dtype) or x
    if make == fill.definite then
        x = (x + x:transpose(-2, -1)) * 0.5
    end
    return swap and x:t() or x
end

local words = {}

function words.size(rest, sizes) return parse_shape(rest, sizes) end
function words.count(rest, sizes) return parse_shape(rest, sizes)[1] end
function words.dim(rest) return math.tointeger(tonumber(rest)) end
function words.dims(rest) return {math.tointeger(tonumber(rest))} end
function words.word(rest) return rest end
function words.numbers(rest, sizes) return tensor(rest, sizes):tolist() end

function words.list(rest, sizes, turned)
    local list = split(rest, "%S+")
    for i, token in ipairs(list) do
        list[i] = tensor(token, sizes, turned)
    end
    return list
end

words["numbers-list"] = function(rest)
    local list = split(rest, "%S+")
    for i, token in ipairs(list) do
        list[i] = math.tointeger(tonumber(token))
    end
    return list
end

local function argument(token, sizes, turned)
    if type(token) ~= "string" then
        return math.tointeger(token) or token
    end
    local first, rest = token:match "^(%S+) (.*)$"
    if words[first] then
        return words[first](rest, sizes, turned)
    end
    return tensor(token, sizes, turned)
end

local function find(name)
    if name:find("nn.functional.", 1, true) == 1 then
        return nn.functional[name:sub(#"nn.functional." + 1)]
    end
    local at = tocha
    for part in name:gmatch "[^.]+" do
        at = at and at[part]
    end
    return at
end

local function called(line)
    if line.method then
        local name = line.op
        return tocha.methods[name] and function(x, ...) return x[name](x, ...) end
    end
    return find(line.op)
end

--- Lets the tensors of an argument, one or a list, need a gradient.
local function track(given, inputs)
    if type(given) == "table" then
        for _, x in ipairs(given) do
            track(x, inputs)
        end
    elseif tocha.is_tensor(given) and given:is_floating_point() then
        inputs[#inputs + 1] = given:requires_grad_()
    end
end

local function backward(line, f, args)
    local inputs = {}
    for i = 1, (line.fixed or #args + 1) - 1 do
        track(args[i], inputs)
    end
    local seed = tocha.ones_like((f(table.unpack(args))))
    return function(n)
        for _ = 1, n do
            local _ = tocha.grad((f(table.unpack(args))), inputs, {grad_outputs = seed, allow_unused = true})
        end
    end
end

--- A function of a count that calls line index of ops.json at n elements, or nil where Tocha lacks the operator.
function ops.prepare(index, n, layout)
    local line = lines[index]
    local f, sizes = called(line), sizes_of(n)
    if not f then
        return nil
    end
    local args = {}
    for i, token in ipairs(line.args) do
        args[i] = argument(token, sizes, layout == "transposed")
    end
    args[#args + 1] = line.with
    if line.backward then
        return backward(line, f, args)
    end
    return function(count)
        for _ = 1, count do
            local _ = f(table.unpack(args))
        end
    end
end

return ops
