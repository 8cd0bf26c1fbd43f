--- Calls that are more than one operator: indexing, literals, graphs, coroutines, properties.
---
--- Each program is a function that returns the list of names its errors may begin with, the function to call, and
--- a table of the values involved, for the failures that are shown.

local tocha = require "tocha"
local checks = require "tests.fuzz.checks"
local values = require "tests.fuzz.values"

local programs = {}

local random, chance, pick = math.random, values.chance, values.pick

--- One entry of a key for a dim of that size.
local function key_item(x, d)
    local size = d <= x:dim() and x:size(d) or 3
    return pick {
        function() return random(-size - 1, size + 1) end,
        function() return random(1, math.max(size, 1)) end,
        function() return {} end,
        function() return {random(1, math.max(size, 1)), size} end,
        function() return {random(-1, size + 1), random(-1, size), random(0, 3)} end,
        function() return {1, -1, pick {1, 2, 1 << 40, math.maxinteger}} end,
        function() return values.positions({values.size()}, size) end,
        function() return values.mask({size}) end,
        function() return "..." end,
        values.junk,
    }()
end

local function random_key(x)
    if chance(0.3) then
        return key_item(x, 1)
    end
    local key = {}
    for d = 1, random(0, x:dim() + 1) do
        local item = key_item(x, d)
        key[d] = item == nil and {} or item
    end
    return key
end

local function is_field(key)
    return type(key) == "string"
end

function programs.read_index()
    local x = values.tensor()
    local key = random_key(x)
    return {index = true}, function()
        if key ~= nil and not is_field(key) then
            return x[key]
        end
    end, {x, key}
end

function programs.write_index()
    local x = values.tensor()
    local key = random_key(x)
    local v = chance(0.3) and values.tensor({}, x.dtype) or chance(0.3) and values.number()
        or chance(0.3) and values.overlapping(x) or values.junk()
    return {index = true}, function()
        if key ~= nil and key == key and not is_field(key) then
            x[key] = v
        end
        return x
    end, {x, key, v}
end

local function literal(depth)
    if depth == 0 or chance(0.1) then
        return chance(0.85) and values.number() or values.junk()
    end
    local list = {}
    for i = 1, random(0, 3) do
        list[i] = literal(depth - 1)
        list[i] = list[i] == nil and 1 or list[i]
    end
    return list
end

local function regular(depth, sizes)
    if depth > #sizes then
        return chance(0.97) and (chance(0.7) and values.number() or chance(0.5)) or values.tensor({})
    end
    local list = {}
    for i = 1, sizes[depth] do
        list[i] = regular(depth + 1, sizes)
    end
    return list
end

local function deep()
    local t = 1
    for _ = 1, random(1, 300) do
        t = {t}
    end
    return t
end

function programs.literal()
    local v = chance(0.4) and literal(random(4)) or chance(0.6) and regular(1, values.shape(random(0, 3)))
        or chance(0.3) and deep() or values.junk()
    local options = chance(0.2) and values.junk() or nil
    if chance(0.5) then
        options = {dtype = chance(0.8) and pick(values.dtypes) or values.junk(), requires_grad = chance(0.3) or nil,
            device = chance(0.1) and "cuda" or nil}
    end
    return {tensor = true}, function() return tocha.tensor(v, options) end, {v, options}
end

local fields = {"shape", "dtype", "device", "grad", "requires_grad", "is_leaf", "grad_fn", "ndim", "T", "nothing", "",
    "a\0b", "__index"}
local plain = {"size", "stride", "dim", "numel", "element_size", "storage_offset", "is_contiguous", "is_floating_point",
    "item", "tolist", "equal", "backward", "requires_grad_", "retain_grad", "detach"}

function programs.method()
    local name = pick(plain)
    local x, a, b = chance(0.9) and values.tensor() or values.junk(), values.junk(), values.junk()
    local n = random(0, 3)
    return {[name] = true}, function()
        return tocha.methods[name](table.unpack({x, a, b}, 1, n))
    end, {name, x, a, b, n}
end

function programs.field()
    local x, name, v = values.tensor(), pick(fields), values.junk()
    if chance(0.5) then
        return {[name] = true}, function() return x[name] end, {x, name}
    end
    v = chance(0.5) and values.tensor(x:size(), x.dtype) or v
    return {grad = true, requires_grad_ = true, tensor = true}, function()
        x[name] = v
        return x
    end, {x, name, v}
end

function programs.operator()
    local x, y = values.tensor(), chance(0.6) and values.tensor({}) or values.junk()
    if chance(0.3) then
        x, y = y, x
    end
    local cases = {
        {"==", function() return x == y end}, {"<", function() return x < y end}, {"<=", function() return x <= y end},
        {"#", function() return #x end}, {"..", function() return x .. y end},
        {"tostring", function() return tostring(x) end},
        {"format", function() return ("%s %s"):format(tostring(x), y) end},
        {"unm", function() return -x end}, {"bnot", function() return ~x end},
    }
    local case = pick(cases)
    if not (tocha.is_tensor(x) and tocha.is_tensor(y)) then
        case = cases[random(4) == 1 and 1 or 6]
    end
    return {["<"] = true, ["<="] = true, ["#"] = true, [".."] = true, neg = true, bitwise_not = true, equal = true,
        tostring = true, format = true}, case[2], {case[1], x, y}
end

--- Steps that turn the latest tensors of a graph into one more.
local steps = {
    function(list) return pick(list) + pick(list) end,
    function(list) return pick(list) * pick(list) end,
    function(list) return pick(list) / (pick(list):square() + 1) end,
    function(list) return pick(list):tanh() end,
    function(list) return pick(list):exp() end,
    function(list) return pick(list):sigmoid():relu() end,
    function(list) return pick(list):mm(pick(list):t()) end,
    function(list) return pick(list):t() end,
    function(list) return pick(list):softmax(1) end,
    function(list) return pick(list):sum(1, true):expand(3, 3) end,
    function(list) return pick(list):amax(2, true) end,
    function(list) return (pick(list):max(1, true)) end,
    function(list) return pick(list):view(9) end,
    function(list) return pick(list)[random(3)] end,
    function(list) return pick(list)[{{}, {1, 2}}] end,
    function(list) return pick(list):reshape(3, 3) end,
    function(list) return pick(list):clone() end,
    function(list) return pick(list):detach() end,
    function(list) return tocha.cat({pick(list), pick(list)}, 1)[{{2, 4}}] end,
    function(list) return pick(list):index_select(1, tocha.tensor {3, 1, 1}) end,
    function(list) return pick(list):gather(1, tocha.tensor {{1, 2, 3}, {3, 3, 3}}) end,
    function(list) return pick(list):to(pick {"float32", "float64"}) end,
    function(list) return tocha.where(pick(list):gt(0), pick(list), 0.5) end,
    function(list) return pick(list):clamp(-0.5, 0.5) end,
    function(list) return pick(list):prod(1) end,
    function(list) return pick(list) ^ 2 end,
    function(list) return pick(list) ^ pick(list) end,
    function(list)
        local image, weight = pick(list):view(1, 1, 3, 3), pick(list):view(1, 1, 3, 3)
        return image:conv2d(weight, {padding = 1}):view(3, 3)
    end,
    function(list) return pick(list):linear(pick(list)) end,
    function(list) return tocha.cross_entropy(pick(list), tocha.tensor {1, 3, 2}) end,
    function(list) return pick(list):mse_loss(pick(list)) end,
    function(list) return pick(list):mul_(pick(list)) end,
    function(list) return pick(list):add_(pick(list)) end,
    function(list) return pick(list):sigmoid_() end,
    function(list) return pick(list):fill_(0.5) end,
    function(list) return pick(list)[random(3)]:mul_(2) end,
    function(list) return pick(list):view(9):add_(1) end,
    function(list) return pick(list):t():mul_(pick(list)) end,
    function(list) return pick(list):copy_(pick(list)) end,
    function(list) local x = pick(list); x[random(3)] = pick(list)[1]; return x end,
    function(list) local x = pick(list); x[x:gt(0)] = 1; return x end,
    function(list) return pick(list):masked_fill_(pick(list):lt(0), 0) end,
    function(list) return tocha.no_grad(function() return pick(list):mul_(0.9) end) end,
    function(list) return tocha.no_grad(function() return pick(list)[1] end) end,
    function(list) return tocha.enable_grad(function() return pick(list) * 2 end) end,
    function(list) local x = pick(list); x:retain_grad(); return x end,
    function(list) local x = pick(list); x.requires_grad = not x.requires_grad; return x end,
    function(list) local x = pick(list); x.grad = chance(0.5) and pick(list) or nil; return x end,
    function(list) return pick(list).grad end,
    function(list) pick(list):sum():backward {retain_graph = chance(0.5), create_graph = chance(0.3)} end,
    function(list)
        local options = {create_graph = chance(0.7), allow_unused = true}
        return tocha.grad(pick(list):sum(), pick(list), options)
    end,
    function(list) return tocha.grad({pick(list)}, {pick(list), pick(list)}, {grad_outputs = {pick(list)}})[1] end,
    function(list) local x <close> = pick(list) * 2; return x:sum() end,
    function() collectgarbage "step" end,
}

--- Ten or so steps over a few tensors, each of which may be refused; the refusals are collected.
local function graph()
    local list, refusals = {}, {}
    for i = 1, 3 do
        list[i] = values.plain({3, 3}, chance(0.8) and "float64" or "float32")
        if chance(0.8) then
            list[i]:requires_grad_()
        end
    end
    for _ = 1, random(4, 16) do
        local step = pick(steps)
        local ok, result = pcall(step, list)
        if not ok then
            refusals[#refusals + 1] = result
        elseif tocha.is_tensor(result) then
            list[#list + 1] = result
        end
    end
    return refusals
end

function programs.graph()
    return checks.any, graph, {}
end

local grad_options = {"retain_graph", "create_graph", "allow_unused", "grad_outputs", "gradient", "bogus"}

function programs.grad()
    local x = values.plain({2, 3}, "float32"):requires_grad_()
    local y = (x * x):sum()
    local a = chance(0.5) and y or chance(0.5) and {y, x} or values.junk()
    local b = chance(0.5) and x or chance(0.5) and {x, x} or values.junk()
    local options = chance(0.5) and {[pick(grad_options)] = chance(0.5) or values.junk()} or values.junk()
    if chance(0.5) then
        return {grad = true}, function() return tocha.grad(a, b, options) end, {a, b, options}
    end
    return {backward = true}, function() return y:backward(options) end, {options}
end

--- Errors, yields and abandoned coroutines while recording is switched.
local function threads()
    local x = values.plain({3}, "float32"):requires_grad_()
    local function body(...)
        local y <close> = x * 2
        coroutine.yield(y:sum())
        if chance(0.3) then
            error("thrown on purpose", 0)
        end
        tocha.no_grad(function()
            x:mul_(0.5)
            if chance(0.3) then
                error({})
            end
        end)
        return x:add(...)
    end
    local co = coroutine.create(body)
    coroutine.resume(co, chance(0.5) and 1 or values.junk())
    if chance(0.7) then
        coroutine.resume(co)
    elseif chance(0.5) then
        coroutine.close(co)
    end
    pcall(tocha.no_grad, function()
        local guard <close> = tocha.enable_grad()
        assert(guard)
        pcall(tocha.no_grad, values.junk())
        error "thrown on purpose"
    end)
    assert(tocha.is_grad_enabled(), "recording was left off")
    local wrapped = coroutine.wrap(function() return tocha.grad(x:sum(), x) end)
    return wrapped()
end

function programs.threads()
    return {}, threads, {}
end

--- A call during which finalizers free its tensors and change its tables.
local function finalizers()
    local x, y, list = values.tensor({3, 3}, "float32"), values.tensor({3, 3}, "float32"), {}
    for i = 1, chance(0.5) and 40 or 2 do
        list[i] = x
    end
    local key, nested = {values.positions({4}, 3)}, {{1, 2, 3}, {4, 5, 6}}
    local function finish()
        for _, f in ipairs {
            function() getmetatable(x).__close(x) end,
            function() local z <close> = y; return z end,
            function() list[1] = nil; list[2] = y end,
            function() key[1] = nil end,
            function() nested[1], nested[2] = 7, y end,
            function() return x + y end,
        } do
            if chance(0.3) then
                pcall(f)
            end
        end
    end
    local calls = {
        function() return tocha.cat(list, 1) end,
        function() return tocha.stack(list, {dim = 2}) end,
        function() return x:add(y, {alpha = 2}) end,
        function() return x:sum {dim = 1, keepdim = true} end,
        function() return x:max(2) end,
        function() return x:max {other = y} end,
        function() return x:add_(y, {alpha = 2}) end,
        function() return x[key] end,
        function() x[key] = y[1] end,
        function() return tocha.tensor(nested) end,
        function() return tocha.index(x, {list[2]:gt(0)}) end,
        function() return x:tolist() end,
        function() return x.shape, x.T, x.grad, x:stride(), x:detach() end,
        function() return x == y end,
        function() return tocha.grad({(x * 2):sum()}, {x, y}, {grad_outputs = {y}}) end,
        function() return x:sum():backward {gradient = y, create_graph = true} end,
        function() return x:_to_string() end,
        function() return tostring(x) .. ("%s"):format(y) end,
    }
    for _ = 1, random(4) do
        setmetatable({}, {__gc = finish})
    end
    if chance(0.3) then
        tocha._fail_after(random(0, 8), chance(0.5) and math.maxinteger or 1)
    end
    local call = pick(calls)
    collectgarbage "restart"
    return call()
end

function programs.finalizers()
    return checks.any, function()
        collectgarbage "stop"
        local pause, factor = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
        local results = table.pack(pcall(finalizers))
        collectgarbage("setpause", pause)
        collectgarbage("setstepmul", factor)
        collectgarbage "restart"
        if not results[1] then
            error(results[2], 0)
        end
        return table.unpack(results, 2, results.n)
    end, {}
end

local session = {"manual_seed", "set_rng_state", "set_default_dtype", "no_grad", "enable_grad", "set_grad_enabled",
    "save", "load", "_op_help", "set_printoptions", "set_num_threads"}

function programs.session()
    local name = pick(session)
    local a, b = values.junk(), values.junk()
    if name == "set_num_threads" and type(a) == "number" or name == "save" then
        a, b = nil, nil
    end
    return {[name] = true}, function()
        local state = tocha.get_rng_state()
        local ok, message = pcall(tocha[name], a, b)
        tocha.set_grad_enabled(true)
        tocha.set_default_dtype "float32"
        tocha.set_rng_state(state)
        tocha.set_printoptions {precision = 4}
        if not ok then
            error(message, 0)
        end
    end, {name, a, b}
end

for name, program in pairs(require "tests.fuzz.libraries") do
    programs[name] = program
end

programs.names = {}
for name, program in pairs(programs) do
    if type(program) == "function" then
        programs.names[#programs.names + 1] = name
    end
end
table.sort(programs.names)

return programs
