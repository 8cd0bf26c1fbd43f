--- Error texts: what was expected, what came, the fix; and that they point at the user's line.

local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"

local x = tocha.ones(2, 3)
local inf = math.huge

local bool_mask = "must be a bool tensor, got float32; compare first, as in x:gt(0)"

--- Calls that fail: {text of the error, function}. Texts that begin with "^" are only its beginning.
local cases = {
    dims = {
        {"sum: dim must be an integer in [-2, 2] (2 dims), got 5", function() x:sum(5) end},
        {"sum: dim must be an integer in [-2, 2] (2 dims), got 0", function() x:sum(0) end},
        {"sum: dim must be an integer in [-2, 2] (2 dims), got -3", function() x:sum(-3) end},
        {"sum: dim names dim 1 twice", function() x:sum {1, -2} end},
        {"softmax: dim must be an integer in [-2, 2] (2 dims), got 3", function() x:softmax(3) end},
        {"unsqueeze: dim must be an integer in [-3, 3] (2 dims), got 4", function() x:unsqueeze(4) end},
        {"size: dim must be an integer in [-2, 2] (2 dims), got 3", function() x:size(3) end},
        {"stride: dim must be an integer in [-2, 2] (2 dims), got 0", function() x:stride(0) end},
        {"permute: dims must name each of the 2 dims once, got 1", function() x:permute(1) end},
        {"select: index must be in [1, 3] or [-3, -1] (size 3), got 4", function() x:select(2, 4) end},
        {"zeros: size has 9 dims, at most 8 are supported", function() tocha.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1) end},
        {"^tensor: tables are nested deeper than 8", function() tocha.tensor {{{{{{{{{1}}}}}}}}} end},
        {"^unsqueeze: ", function() tocha.zeros(1, 1, 1, 1, 1, 1, 1, 1):unsqueeze(1) end},
        {"^stack: ", function()
            local t = tocha.zeros(1, 1, 1, 1, 1, 1, 1, 1)
            return tocha.stack {t, t}
        end},
    },
    options = {
        {'sum: unknown option "dims"; known: input, dim, keepdim, dtype', function() x:sum {dims = 1} end},
        {'zeros: unknown option "dtyp"; known: size, dtype, device, requires_grad',
            function() tocha.zeros(2, {dtyp = "float32"}) end},
        {'ones: unknown option "foo"; known: size, dtype, device, requires_grad',
            function() tocha.ones {2, 3, dtype = "int32", foo = 1} end},
        {"sum: dim is given twice", function() x:sum(1, {dim = 1}) end},
        {'tensor: unknown option "type"; known: dtype, device, requires_grad',
            function() tocha.tensor({1}, {type = 1}) end},
        {'tensor: options must be a table such as {dtype = "float64"}, got "float32"',
            function() tocha.tensor({1}, "float32") end},
        {'Linear: unknown option "baas"; known: in_features, out_features, bias, dtype, device',
            function() nn.Linear(2, 3, {baas = true}) end},
        {'grad: unknown option "foo"; known: grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads',
            function() tocha.grad(x, x, {foo = 1}) end},
    },
    kinds = {
        {'sum: dim must be a list of integers, got "a"', function() x:sum("a") end},
        {"sum: keepdim must be true or false, got 3", function() x:sum {dim = 1, keepdim = 3} end},
        {"sum: dim must be a list of integers, got 1.5", function() x:sum(1.5) end},
        {'ones: size must be a list of integers, got "a"', function() tocha.ones {2, "a"} end},
        {"ones: size must be a list of integers, got 2.5", function() tocha.ones(2.5) end},
        {"linspace: steps must be an integer, got 2.5", function() tocha.linspace(0, 1, 2.5) end},
        {'add: alpha must be a number, got "a"', function() x:add(x, {alpha = "a"}) end},
        {"add: other must be a tensor (make one with tocha.tensor), got table", function() return x + {} end},
        {'add: other must be a tensor or a number, got "a"', function() return x + "a" end},
        {'pow: other must be a tensor or a number, got "a"', function() return x ^ "a" end},
        {"sum: input must be a tensor (make one with tocha.tensor), got table", function() tocha.sum {1, 2} end},
        {"cat: tensors must be a table of tensors, got 3", function() tocha.cat {x, 3} end},
        {"cat: tensors must be a table of tensors, got a tensor (float32 2x3)", function() tocha.cat(x) end},
        {"cat: tensors must hold at least one tensor", function() tocha.cat {} end},
        {'zeros: dtype must be a dtype such as "float32" or "int64", got "float128"',
            function() tocha.zeros(2, {dtype = "float128"}) end},
        {'zeros: device must be "cpu", "cuda" or "cuda:N", got "gpu"', function() tocha.zeros(2, {device = "gpu"}) end},
        {'nll_loss: reduction must be "none", "mean" or "sum", got "foo"',
            function() tocha.nll_loss(x, tocha.tensor {1, 2}, {reduction = "foo"}) end},
        {'tensor: entries must be numbers or booleans, got "a"', function() tocha.tensor {1, "a"} end},
        {"tensor: an entry must be in [0, 255] for uint8, got 300",
            function() tocha.tensor({1, 300}, {dtype = "uint8"}) end},
        {"tensor: an entry must be a whole number for int32, got 1.5",
            function() tocha.tensor({{1}, {1.5}}, {dtype = "int32"}) end},
        {"^tensor: rows differ in length", function() tocha.tensor {{1, 2}, {3}} end},
        {'manual_seed: the seed must be an integer, got "a"', function() tocha.manual_seed("a") end},
        {"set_num_threads: the number must be in [1, 1024], got 0", function() tocha.set_num_threads(0) end},
        {'set_default_dtype: expected float16, bfloat16, float32, float64, got "int32"',
            function() tocha.set_default_dtype("int32") end},
        {'Linear: in_features must be a whole number from 0, got "a"', function() nn.Linear("a", 2) end},
        {"SGD: lr must be a number from 0, got -1", function() optim.SGD(nn.Linear(2, 3):parameters(), {lr = -1}) end},
    },
    counts = {
        {"sum: input is missing; sum(Tensor input, dims? dim..., bool keepdim = false, dtype? dtype)",
            function() tocha.sum() end},
        {"transpose: dim1 is missing; transpose(Tensor input, dim dim0, dim dim1)", function() x:transpose(1) end},
        {"add: too many arguments; add(Tensor input, Tensor other, scalar alpha = 1)", function() x:add(1, 2, 3) end},
        {"add: other is missing; add(Tensor input, Tensor other, scalar alpha = 1)", function() x:add(nil) end},
        {"exp: too many arguments; exp(Tensor input)", function() x:exp(1) end},
        {"exp: input is missing; exp(Tensor input)", function() tocha.exp_() end},
    },
    forms = {
        {"max: no form takes (); forms: max(Tensor input), max(Tensor input, dim dim, bool keepdim = false -> " ..
            "values, indices), max(Tensor input, Tensor other)", function() tocha.max() end},
        {"^max: no form takes (a tensor (float32 2x3), \"a\"); forms: ", function() x:max("a") end},
        {"^max: no form takes (a tensor (float32 2x3), 1, 2, 3); forms: ", function() x:max(1, 2, 3) end},
        {"^arange: no form takes (); forms: arange(number last, ", function() tocha.arange() end},
        {"^randint: no form takes (5); forms: randint(int high, shape size, ", function() tocha.randint(5) end},
        {"max: dim must be an integer in [-2, 2] (2 dims), got 3", function() x:max(3) end},
    },
    shapes = {
        {"add: shapes 2x3 and 2 do not broadcast: counted from the last dim, sizes must be equal or 1",
            function() return x + tocha.ones(2) end},
        {"matmul: sizes do not fit: 2x3 and 2x3; the last dim of input (3) must equal the second-last of other (2)",
            function() x:matmul(x) end},
        {"view: shape 7 does not hold the 6 elements of input (2x3)", function() x:view(7) end},
        {"reshape: shape 7 does not hold the 6 elements of input (2x3)", function() x:reshape(7) end},
        {"item: only a tensor of one element is a number, this one has 6 (2x3)", function() x:item() end},
        {"stack: all tensors must have one shape; the first has 2x3, number 2 has 2",
            function() tocha.stack {x, tocha.ones(2)} end},
        {"zeros: sizes must not be negative, got -1", function() tocha.zeros(-1) end},
        {"cross_entropy: for an input of shape 2x3 target must have shape 2, got 1",
            function() tocha.cross_entropy(x, tocha.tensor {1}) end},
        {"cross_entropy: target must hold class labels from 1 to 3, got 9 at position 2",
            function() tocha.cross_entropy(x, tocha.tensor {1, 9}) end},
        {"^conv2d: input must be (n, c, h, w) or (c, h, w), got 2x3", function() tocha.conv2d(x, x) end},
        {"<: only one-element tensors compare as numbers, this one is 2x3; use lt, le, gt or ge for each element",
            function() return x < x end},
        {"#: a 0-dim tensor has no length; use item()", function() return #tocha.tensor(1) end},
    },
    dtypes = {
        {'mm: input is float32 and mat2 is float64; convert one with :to("float64")',
            function() tocha.mm(x, tocha.ones(3, 2, {dtype = "float64"})) end},
        {"bitwise_and: input must be bool, uint8, int8, int16, int32, int64, got float32", function() return x & x end},
        {"neg: input must be uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64, " ..
            "complex128, got bool",
            function() return -tocha.tensor {true} end},
        {"where: condition " .. bool_mask, function() tocha.where(x, x, x) end},
        {"masked_fill: mask " .. bool_mask, function() x:masked_fill(x, 1) end},
        {"gather: index must be an integer tensor, got float32", function() x:gather(1, x) end},
        {"add_: the result is float32 and does not fit into a int64 tensor; use add and assign",
            function() tocha.tensor({1}):add_(0.5) end},
        {"^scatter: input is int64 and src is float32", function()
            tocha.arange(3):scatter(1, tocha.tensor {1}, 0.5)
        end},
        {"floor_divide: other has a 0, and integers cannot be divided by it; convert to float",
            function() return tocha.tensor {1} // 0 end},
    },
    numbers = {
        {"^zeros: a tensor of shape 1099511627776x1099511627776 has more elements than memory can address",
            function() tocha.zeros(1 << 40, 1 << 40) end},
        {"^zeros: a tensor of shape 4611686018427387904 has more elements than memory",
            function() tocha.zeros(1 << 62) end},
        {"^eye: a tensor of shape", function() tocha.eye(1 << 40) end},
        {"^full: fill_value must be a whole number for int32, got ",
            function() tocha.full({2}, 0 / 0, {dtype = "int32"}) end},
        {"full: fill_value must be a whole number for int64, got inf",
            function() tocha.full({2}, inf, {dtype = "int64"}) end},
        {"full: fill_value must be in [0, 255] for uint8, got 300",
            function() tocha.full({2}, 300, {dtype = "uint8"}) end},
        {"^arange: first and last must be finite", function() tocha.arange(0 / 0) end},
        {"^arange: first and last must be finite", function() tocha.arange(0, inf) end},
        {"^arange: ", function() tocha.arange(0, 1, 1e-300) end},
        {"dropout: p must be in [0, 1], got 2", function() tocha.dropout(x, 2) end},
        {"^dropout: p must be in [0, 1], got ", function() tocha.dropout(x, 0 / 0) end},
        {"clamp: give min, max or both", function() x:clamp() end},
        {"^normal: mean must be finite", function() tocha.ones(2):normal_(0 / 0, 1) end},
        {"^view: ", function() x:view(1 << 40, 1 << 40, 1 << 40) end},
        {"^expand: ", function() x:expand(1 << 62, 1 << 62, 2, 3) end},
        {"^narrow: ", function() x:narrow(1, 1, math.maxinteger) end},
        {"^narrow: ", function() x:narrow(1, math.mininteger, 1) end},
        {"^slice: ", function() x:slice(1, math.mininteger, math.maxinteger) end},
        {"^as_strided: ", function() x:as_strided({1 << 31, 1 << 31}, {1 << 31, 1 << 31}) end},
        {"^conv2d: ", function()
            tocha.conv2d(tocha.ones(1, 1, 3, 3), tocha.ones(1, 1, 1, 1), {padding = math.maxinteger})
        end},
        {"^max_pool2d: ", function() tocha.max_pool2d(tocha.ones(1, 3, 3), math.maxinteger) end},
        {"^randint: ", function() tocha.randint(5, 4, {2}) end},
    },
    devices = {
        {"^zeros: device cuda:99 is not available: ", function() tocha.zeros(2, {device = "cuda:99"}) end},
        {"^to: device cuda:98 is not available: ", function() x:to("cuda:98") end},
        {"^tensor: device cuda:99 is not available: ", function() tocha.tensor({1}, {device = "cuda:99"}) end},
        {"^move: device must be", function() x:move("cuda:x") end},
    },
}

local function message_of(f)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    return message
end

--- The line of this file that an error text names, and the text behind.
local function split(message)
    local number, text = tostring(message):match("^[^\n]-errors_spec%.lua:(%d+): (.*)$")
    assert(number, "does not name a line of the user's file: " .. tostring(message))
    return math.tointeger(tonumber(number)), text
end

local function line()
    return debug.getinfo(2, "l").currentline
end

describe("the error for wrong", function()
    for topic, list in pairs(cases) do
        for i, case in ipairs(list) do
            it(("%s %d: %s"):format(topic, i, case[1]), function()
                local info = debug.getinfo(case[2], "S")
                local number, text = split(message_of(case[2]))
                assert(number >= info.linedefined and number <= info.lastlinedefined, "names line " .. number)
                if case[1]:sub(1, 1) == "^" then
                    assert.are.equal(case[1]:sub(2), text:sub(1, #case[1] - 1))
                else
                    assert.are.equal(case[1], text)
                end
                assert(not text:find("\n"), "is more than a line")
            end)
        end
    end
end)

describe("an error", function()
    it("inside the libraries points at the line that called them", function()
        local net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
        local number = split(message_of(function()
            local y = net(x)
            return y
        end))
        assert.are.equal(line() - 3, number)
        local loss, here = nn.CrossEntropyLoss(), nil
        number = split(message_of(function()
            here = line() + 1
            local l = loss(tocha.ones(2, 3), tocha.tensor {1, 7})
            return l
        end))
        assert.are.equal(here, number)
    end)

    it("inside a user's module points into it", function()
        local Net = nn.class("Net")
        local here
        function Net:init()
            self.layer = nn.Linear(3, 3)
        end
        function Net:forward(input)
            local hidden = self.layer(input)
            here = line() + 1
            local y = hidden:view(17)
            return y
        end
        assert.are.equal(here, nil)
        local net = Net()
        local number, text = split(message_of(function()
            local y = net(x)
            return y
        end))
        assert.are.equal(here, number)
        assert.is_truthy(text:find("^view: "))
    end)

    it("in a coroutine, a metamethod and a pcall'd method names its line", function()
        local here
        local co = coroutine.create(function()
            here = line() + 1
            local y = x + tocha.ones(5)
            return y
        end)
        local ok, message = coroutine.resume(co)
        assert.is_false(ok)
        assert.are.equal(here, (split(message)))
        ok, message = pcall(x.view, x, 5)
        assert.is_false(ok)
        assert.is_truthy(tostring(message):find("view: shape 5", 1, true))
    end)

    it("leaves everything usable and is not told again", function()
        for _ = 1, 3 do
            assert.is_truthy(message_of(function() x:view(7) end):find("view: shape 7", 1, true))
            assert.is_truthy(message_of(function() x:sum(5) end):find("sum: dim", 1, true))
            assert.are.equal(6, x:sum():item())
        end
    end)

    it("does not grow with the tensors that it is about", function()
        local message = message_of(function() return tocha.ones(1000, 1000):matmul(tocha.ones(3, 3)) end)
        assert.is_true(#message < 300)
        message = message_of(function() return x:sum(("long"):rep(10000)) end)
        assert.is_true(#message < 1200)
    end)
end)

describe("a number as a tensor's argument", function()
    it("may be a one-element tensor", function()
        assert.are.equal("5", tostring(tocha.zeros(tocha.tensor(5)).shape))
        assert.are.equal(3, tocha.ones(2):fill_(tocha.tensor(3)):max():item())
        assert.are.equal(2, x:sum(tocha.tensor(1))[1]:item())
    end)

    it("NaN and infinity are values where numbers are", function()
        local y = tocha.full({2}, 0 / 0)
        assert.is_true(y:isnan():all():item())
        assert.is_true((x * inf):isinf():all():item())
        assert.is_true(x:clamp({max = -inf}):eq(-inf):all():item())
        assert.are.equal("tensor({nan, nan})", tostring(y))
    end)
end)
