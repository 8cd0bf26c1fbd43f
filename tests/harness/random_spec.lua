--- Random operators: their distributions, and the same bits for the same seed on any threads and instruction set.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local compare = require "tests.harness.compare"

local N = 200000

--- Mean, standard deviation, and the third and fourth standardised moments.
local function moments(t)
    local x = t:to("float64")
    local mean = x:mean():item()
    local centred = x - mean
    local deviation = centred:square():mean():sqrt():item()
    local standard = centred / deviation
    return mean, deviation, (standard ^ 3):mean():item(), (standard ^ 4):mean():item()
end

local function assert_near(expected, got, tolerance, what)
    assert(math.abs(got - expected) <= tolerance, ("%s: %g, expected %g +- %g"):format(what, got, expected, tolerance))
end

--- Correlation of neighbours: 0 for independent draws.
local function neighbours(t)
    local x = t:to("float64")
    x = x - x:mean()
    local n = x:numel()
    return ((x:narrow(1, 1, n - 1) * x:narrow(1, 2, n - 1)):mean() / x:square():mean()):item()
end

--- The vectors that a randomised factorisation finds, which depend on its draws as no iteration refines them.
local function vectors(f, dtype)
    local wide = dtype == "float64" and dtype or "float32"
    local a = (tocha.arange(600):to {dtype = wide} * 0.7):sin():view(30, 20)
    return (f(a, {q = 3, niter = 0})):to {dtype = dtype}
end

--- Every way to draw, as a function of a dtype.
local draws = {
    rand = function(dtype) return tocha.rand(N, {dtype = dtype}) end,
    randn = function(dtype) return tocha.randn(N, {dtype = dtype}) end,
    randint = function(dtype) return tocha.randint(100, {N}, {dtype = dtype}) end,
    randint__range = function(dtype) return tocha.randint(-50, 50, {N}, {dtype = dtype}) end,
    randperm = function(dtype) return tocha.randperm(2000, {dtype = dtype}) end,
    uniform = function(dtype) return tocha.zeros(N, {dtype = dtype}):uniform(-1, 3) end,
    normal = function(dtype) return tocha.zeros(N, {dtype = dtype}):normal(2, 0.5) end,
    svd_lowrank = function(dtype) return vectors(tocha.svd_lowrank, dtype) end,
    pca_lowrank = function(dtype) return vectors(tocha.pca_lowrank, dtype) end,
    bernoulli = function(dtype) return tocha.full({N}, 0.3, {dtype = dtype}):bernoulli() end,
    bernoulli__number = function(dtype) return tocha.zeros(N, {dtype = dtype}):bernoulli(0.3) end,
    multinomial = function() return tocha.multinomial(tocha.tensor {1., 0., 2., 5.}, N, true) end,
    poisson = function(dtype) return tocha.full({N}, 3.5, {dtype = dtype}):poisson() end,
    exponential = function(dtype) return tocha.zeros(N, {dtype = dtype}):exponential(2) end,
    geometric = function(dtype) return tocha.zeros(N, {dtype = dtype}):geometric(0.25) end,
    cauchy = function(dtype) return tocha.zeros(N, {dtype = dtype}):cauchy(1, 2) end,
    log_normal = function(dtype) return tocha.zeros(N, {dtype = dtype}):log_normal(0, 0.5) end,
    random = function(dtype) return tocha.zeros(N, {dtype = dtype}):random() end,
    random__to = function(dtype) return tocha.zeros(N, {dtype = dtype}):random(100) end,
    random__range = function(dtype) return tocha.zeros(N, {dtype = dtype}):random(-20, 100) end,
    dropout_mask = function(dtype) return tocha.dropout_mask(tocha.zeros(N, {dtype = dtype}), 0.25) end,
}

--- Prints a checksum of every draw: run in a process of its own for each instruction set.
local checksums = [[
local tocha = require "tocha"
tocha.set_num_threads(%d)
for _, dtype in ipairs {"float64", "float32", "bfloat16"} do
    tocha.manual_seed(5)
    local all = {tocha.rand(30011, {dtype = dtype}), tocha.randn(30011, {dtype = dtype}),
        tocha.zeros(1001, {dtype = dtype}):normal(1, 2), tocha.zeros(1001, {dtype = dtype}):uniform(-3, 5),
        tocha.dropout_mask(tocha.zeros(30011, {dtype = dtype}), 0.3), tocha.randperm(5003), tocha.randint(7, {30011})}
    for _, t in ipairs(all) do
        local position = tocha.arange(t:numel()) %% 1009
        print(("%%.17g"):format((t:to("float64") * position):sum():item()), t[17]:item(), t[-1]:item())
    end
end
]]

local function run_process(isa, threads)
    local command = ("TOCHA_ISA=%s lua5.4 -e '%s' 2>&1"):format(isa, checksums:format(threads))
    local pipe = assert(io.popen(command))
    local text = pipe:read("a")
    assert(pipe:close(), text)
    return text
end

describe("random operator", function()
    for _, op in ipairs((cases.ops())) do
        if op.row.random then
            it(op.name .. ": is drawn from here", function()
                assert.is_function(draws[op.name])
            end)

            it(op.name .. ": same seed same bits, on any number of threads; another seed others", function()
                local threads = tocha.get_num_threads()
                finally(function() tocha.set_num_threads(threads) end)
                for _, dtype in ipairs(op.name:find("^rand[ip]") and {"int64", "float32"} or
                    op.name == "multinomial" and {"int64"} or cases.all_dtypes) do
                    if dtype:find("float", 1, true) or dtype == "int64" and
                        (op.name:find("^rand[ip]") or op.name == "multinomial") then
                        tocha.manual_seed(42)
                        tocha.set_num_threads(1)
                        local first = draws[op.name](dtype)
                        local further = draws[op.name](dtype)
                        assert.is_string(compare.same(first, further), "two draws are alike")
                        for _, n in ipairs {1, 2, 5} do
                            tocha.manual_seed(42)
                            tocha.set_num_threads(n)
                            assert.is_nil(compare.same(draws[op.name](dtype), first))
                            assert.is_nil(compare.same(draws[op.name](dtype), further))
                        end
                        tocha.manual_seed(43)
                        assert.is_string(compare.same(draws[op.name](dtype), first), "another seed gives the same")
                    end
                end
            end)
        end
    end

    for _, dtype in ipairs {"float64", "float32", "float16", "bfloat16"} do
        local slack = dtype == "bfloat16" and 0.004 or 0

        it("rand: uniform in [0, 1) in " .. dtype, function()
            tocha.manual_seed(1)
            local x = draws.rand(dtype)
            assert.is_true(x:min():item() >= 0 and x:max():item() < 1)
            local mean, deviation, skew, kurtosis = moments(x)
            assert_near(0.5, mean, 0.004 + slack, "mean")
            assert_near(1 / math.sqrt(12), deviation, 0.003 + slack, "deviation")
            assert_near(0, skew, 0.03, "skew")
            assert_near(1.8, kurtosis, 0.03 + slack, "kurtosis")
            assert_near(0, neighbours(x), 0.01, "correlation of neighbours")
        end)

        it("randn: normal in " .. dtype, function()
            tocha.manual_seed(2)
            local x = draws.randn(dtype)
            local mean, deviation, skew, kurtosis = moments(x)
            assert_near(0, mean, 0.012, "mean")
            assert_near(1, deviation, 0.01, "deviation")
            assert_near(0, skew, 0.03, "skew")
            assert_near(3, kurtosis, 0.08, "kurtosis")
            assert_near(0, neighbours(x), 0.01, "correlation of neighbours")
            local beyond = x:abs():gt(2):to("float64"):mean():item()
            assert_near(0.0455, beyond, 0.004, "share beyond two deviations")
        end)

        it("uniform and normal: bounds and moments as asked in " .. dtype, function()
            tocha.manual_seed(3)
            local x = draws.uniform(dtype)
            assert.is_true(x:min():item() >= -1 and x:max():item() < 3 + slack * 4)
            local mean, deviation = moments(x)
            assert_near(1, mean, 0.015 + 4 * slack, "mean of uniform")
            assert_near(4 / math.sqrt(12), deviation, 0.01 + slack, "deviation of uniform")
            mean, deviation = moments(draws.normal(dtype))
            assert_near(2, mean, 0.008 + slack, "mean of normal")
            assert_near(0.5, deviation, 0.006 + slack, "deviation of normal")
        end)

        it("dropout_mask: 0 with probability p, else 1 / (1 - p), in " .. dtype, function()
            tocha.manual_seed(4)
            local x = draws.dropout_mask(dtype)
            local dropped = x:eq(0):to("float64"):mean():item()
            assert_near(0.25, dropped, 0.006, "share dropped")
            local kept = tocha.tensor({1 / 0.75}, {dtype = dtype})
            assert.is_true(x:eq(0):logical_or(x:eq(kept)):all():item())
        end)
    end

    it("rand reaches the ends of its range in float32 without 1", function()
        tocha.manual_seed(6)
        local x = tocha.rand(1 << 22)
        assert.is_true(x:max():item() < 1)
        assert.is_true(x:max():item() > 1 - 1e-5)
        assert.is_true(x:min():item() < 1e-5)
    end)

    it("randint: all numbers from low to high equally often", function()
        tocha.manual_seed(7)
        for _, dtype in ipairs {"uint8", "int8", "int32", "int64", "float32"} do
            local x = tocha.randint(1, 10, {N}, {dtype = dtype})
            assert.are.equal(1, x:min():item() // 1)
            assert.are.equal(10, x:max():item() // 1)
            for k = 1, 10 do
                assert_near(0.1, x:eq(k):to("float64"):mean():item(), 0.004, dtype .. " share of " .. k)
            end
        end
        local wide = tocha.randint(math.mininteger, math.maxinteger, {1000})
        assert.is_true(wide:min():item() < -(1 << 62) and wide:max():item() > 1 << 62)
    end)

    it("randperm: every number once, every place equally likely", function()
        tocha.manual_seed(8)
        local p = tocha.randperm(2000)
        local seen = tocha.zeros(2000, {dtype = "int64"}):index_add(1, p, tocha.ones(2000, {dtype = "int64"}))
        assert.is_true(seen:eq(1):all():item())
        local first = {0, 0, 0}
        for _ = 1, 3000 do
            local k = tocha.randperm(3)[1]:item()
            first[k] = first[k] + 1
        end
        for k = 1, 3 do
            assert_near(1000, first[k], 110, "times that the first is " .. k)
        end
    end)

    it("dropout: scales what it keeps, and its gradient uses the same mask", function()
        tocha.manual_seed(9)
        local x = tocha.ones(N):requires_grad_()
        local y = tocha.dropout(x, 0.5)
        assert_near(1, y:mean():item(), 0.02, "mean")
        y:sum():backward()
        assert.is_nil(compare.same(x.grad, y:detach()))
        assert.is_nil(compare.same(tocha.dropout(x, 0.5, false), x:detach()))
    end)

    it("the like forms draw as the others do", function()
        tocha.manual_seed(10)
        local x = tocha.zeros(N)
        assert_near(0.5, tocha.rand_like(x):mean():item(), 0.005, "mean of rand_like")
        assert_near(0, tocha.randn_like(x):mean():item(), 0.015, "mean of randn_like")
        local whole = tocha.randint_like(x, 3, 5)
        assert.are.equal(3, whole:min():item() // 1)
        assert.are.equal(5, whole:max():item() // 1)
    end)

    it("the state can be put back", function()
        tocha.manual_seed(11)
        tocha.rand(3)
        local state = tocha.get_rng_state()
        local first = tocha.randn(10)
        tocha.set_rng_state(state)
        assert.is_nil(compare.same(tocha.randn(10), first))
    end)

    it("bernoulli: ones with the probability asked for, element by element", function()
        tocha.manual_seed(12)
        assert_near(0.3, draws.bernoulli "float64":mean():item(), 0.005, "share of ones")
        assert_near(0.3, draws.bernoulli__number "float32":mean():item(), 0.005, "share of ones")
        local p = tocha.tensor {0., 0.25, 0.75, 1.}
        local counts = tocha.zeros(50000, 4):bernoulli_(p):mean(1):tolist()
        for i, wanted in ipairs {0, 0.25, 0.75, 1} do
            assert_near(wanted, counts[i], 0.01, "share of ones in column " .. i)
        end
        assert_near(0.5, tocha.zeros(N, {dtype = "bool"}):bernoulli_():to("float64"):mean():item(), 0.005, "share")
    end)

    it("multinomial: positions by weight, with and without putting back", function()
        tocha.manual_seed(13)
        local weights = tocha.tensor {1., 0., 2., 5.}
        local drawn = tocha.multinomial(weights, N, true)
        for position, wanted in ipairs {1 / 8, 0, 2 / 8, 5 / 8} do
            assert_near(wanted, drawn:eq(position):to("float64"):mean():item(), 0.005, "share of " .. position)
        end
        local rows = tocha.multinomial(weights:expand(20000, 4), 3)
        assert.are.equal("20000x3", tostring(rows.shape))
        assert.is_false(rows:eq(2):any():item())
        assert.is_true(rows:sum(2):eq(8):all():item())
        assert_near(5 / 8, rows[{{}, 1}]:eq(4):to("float64"):mean():item(), 0.015, "share of 4 as the first")
        -- The second is drawn by what is left: 1/8 * 5/7 + 2/8 * 5/6.
        assert_near(1 / 8 * 5 / 7 + 2 / 8 * 5 / 6, rows[{{}, 2}]:eq(4):to("float64"):mean():item(), 0.015, "as second")
    end)

    it("poisson: mean and variance are the rate", function()
        tocha.manual_seed(14)
        for _, rate in ipairs {0.1, 3.5, 9.99, 10.0, 47.0, 1e4, 1e9} do
            local x = tocha.full({N}, rate, {dtype = "float64"}):poisson()
            local mean, deviation = moments(x)
            local scale = math.sqrt(rate)
            assert_near(rate, mean, 5 * scale / math.sqrt(N), "mean")
            assert_near(scale, deviation, 0.02 * scale, "deviation")
            assert.is_true(x:eq(x:floor()):all():item() and x:min():item() >= 0)
        end
        local x = tocha.full({N}, 12.0, {dtype = "float64"}):poisson()
        local expected = math.exp(-12)
        for k = 0, 25 do
            assert_near(expected, x:eq(k):to("float64"):mean():item(), 0.002, "share of " .. k)
            expected = expected * 12 / (k + 1)
        end
    end)

    it("exponential, geometric, cauchy and log_normal: their quantiles", function()
        tocha.manual_seed(15)
        local function quartiles(x)
            return x:to("float64"):quantile(tocha.tensor({0.25, 0.5, 0.75}, {dtype = "float64"})):tolist()
        end
        local function near(expected, x)
            for i, q in ipairs(quartiles(x)) do
                assert_near(expected[i], q, 0.03, "quartile " .. i)
            end
        end
        for _, dtype in ipairs {"float32", "float64"} do
            near({-math.log(0.75) / 2, math.log(2) / 2, math.log(4) / 2}, draws.exponential(dtype))
            near({-1, 1, 3}, draws.cauchy(dtype))
            near({math.exp(-0.33724), 1, math.exp(0.33724)}, draws.log_normal(dtype))
        end
        local x = draws.geometric "int32"
        for k, expected in ipairs {0.25, 0.1875, 0.140625} do
            assert_near(expected, x:eq(k):to("float64"):mean():item(), 0.004, "share of " .. k)
        end
        assert_near(4, x:to("float64"):mean():item(), 0.05, "mean")
        assert.is_true(draws.exponential "float64":min():item() > 0)
        assert.are.equal(255, tocha.zeros(100, {dtype = "uint8"}):geometric_(1e-9):max():item())
    end)

    it("normal: by element, by number and by size", function()
        tocha.manual_seed(16)
        local mean = tocha.tensor {-5., 5.}
        local x = tocha.normal(mean:expand(N, 2), tocha.tensor {1., 3.})
        for i, wanted in ipairs {{-5, 1}, {5, 3}} do
            local got, deviation = moments(x[{{}, i}])
            assert_near(wanted[1], got, 0.04, "mean")
            assert_near(wanted[2], deviation, 0.03, "deviation")
        end
        assert.are.equal("200000", tostring(tocha.normal(2, tocha.ones(N)).shape))
        local sized, deviation = moments(tocha.normal(3, 0.5, {N}))
        assert_near(3, sized, 0.01, "mean")
        assert_near(0.5, deviation, 0.01, "deviation")
        assert.are.equal("float16", tocha.normal(tocha.zeros(3, {dtype = "float16"}), 1).dtype)
        local leaf = tocha.normal(0, 1, {2}, {requires_grad = true, dtype = "float64"})
        assert.is_true(leaf.requires_grad and leaf.dtype == "float64")
    end)

    it("random_: whole numbers over all that the dtype holds", function()
        tocha.manual_seed(17)
        for dtype, most in pairs {uint8 = 255, int8 = 127, bool = 1, float16 = 2048, bfloat16 = 256} do
            local y = tocha.zeros(N, {dtype = dtype}):random_():to "float64"
            assert.are.equal(0, y:min():item(), dtype)
            assert.are.equal(most, y:max():item(), dtype)
            assert_near(most / 2, y:mean():item(), most * 0.005, dtype)
        end
        assert.are.equal(1, tocha.zeros(N):random_(6):min():item())
        assert.are.equal(6, tocha.zeros(N):random_(6):max():item())
    end)

    it("draws do not depend on the instruction set", function()
        local expected = run_process("baseline", 1)
        assert.are.equal(21, select(2, expected:gsub("\n", "")))
        local config = tocha.config().isa
        assert.are.equal(expected, run_process("baseline", 3))
        assert.are.equal(expected, run_process(config, 2))
        if config == "avx512" then
            assert.are.equal(expected, run_process("avx2", 2))
        end
    end)
end)
