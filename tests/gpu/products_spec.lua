--- Products on the device: bias on the way, layouts, TF32.

local tocha = require "tocha"
local expect = require "tests.support.expect"

local cuda = tocha.cuda
local on = {device = "cuda"}

local function close(a, b, tolerance)
    assert.is_true(a:cpu():to("float64"):allclose(b:cpu():to("float64"), {rtol = tolerance, atol = tolerance}))
end

describe("a product", function()
    for dtype, tolerance in pairs {float32 = 1e-5, float16 = 4e-3, bfloat16 = 3e-2, float64 = 1e-12} do
        it("adds a bias of every layout (" .. dtype .. ")", function()
            local function make(...)
                return tocha.randn({...}, {dtype = "float64"}):to(dtype)
            end
            local x, w, wide = make(3, 5, 8), make(6, 8), make(6, 2)
            local biases = {make(6), wide:select(2, 1), make(9):narrow(1, 3, 6), make(1):expand(6)}
            for _, bias in ipairs(biases) do
                local wanted = tocha.linear(x:to("float64"), w:to("float64"), bias:to("float64"))
                close(tocha.linear(x:cuda(), w:cuda(), bias:cuda()), wanted, tolerance)
                close(tocha.linear(x[1]:cuda():t():contiguous():t(), w:cuda(), bias:cuda()), wanted[1], tolerance)
            end
        end)

        it("adds a matrix where it stands (" .. dtype .. ")", function()
            local function make(...)
                return tocha.randn({...}, {dtype = "float64"}):to(dtype)
            end
            local a, b, wide = make(4, 7), make(7, 5), make(4, 9)
            local inputs = {make(4, 5), wide:narrow(2, 2, 5), make(5, 4):t(), make(5), make(1, 5), make(4, 1)}
            for _, input in ipairs(inputs) do
                for _, beta in ipairs {1, 0.5, 0} do
                    local how = {beta = beta, alpha = 2}
                    local wanted = tocha.addmm(input:to("float64"), a:to("float64"), b:to("float64"), how)
                    close(tocha.addmm(input:cuda(), a:cuda(), b:cuda(), how), wanted, tolerance)
                end
            end
        end)
    end

    it("is computed anew for other places of the same shape", function()
        local whole = tocha.randn(20, 21, on)
        for first = 1, 5 do
            local a, b = whole:narrow(2, first, 8), whole:narrow(1, first, 8):narrow(2, first + 1, 8)
            close(a:mm(b), a:cpu():mm(b:cpu()), 1e-5)
        end
    end)

    it("is computed where cuBLASLt has no way to", function()
        local whole, bias = tocha.randn(20, 21, on):to("bfloat16"), tocha.randn(8, on):to("bfloat16")
        for first = 1, 4 do
            local a, b = whole:narrow(2, first, 8), whole:narrow(1, first, 8):narrow(2, first + 1, 8)
            local x, y = a:cpu():to("float64"), b:cpu():to("float64")
            close(a:mm(b), x:mm(y), 3e-2)
            close(tocha.linear(a, b, bias), tocha.linear(x, y, bias:cpu():to("float64")), 3e-2)
            close(tocha.addmm(bias, a, b), tocha.addmm(bias:cpu():to("float64"), x, y), 3e-2)
        end
    end)

    for dtype, tolerance in pairs {float32 = 1e-5, float16 = 4e-3, bfloat16 = 3e-2, float64 = 1e-12} do
        it("applies gelu, on the way where cuBLASLt can (" .. dtype .. ")", function()
            local function make(...)
                return tocha.randn({...}, {dtype = "float64"}):to(dtype)
            end
            local function test(x, w, bias)
                local function run(f, device)
                    local inputs = {}
                    for i, t in pairs {x, w, bias} do
                        inputs[i] = t:detach():to(device == "cuda" and dtype or "float64", device):requires_grad_()
                    end
                    local y = f(inputs[1], inputs[2], inputs[3])
                    y:sin():sum():backward()
                    return y, inputs
                end
                local wanted, from = run(function(a, b, c) return tocha.linear(a, b, c):gelu("tanh") end, "cpu")
                local y, inputs = run(tocha.linear_gelu, "cuda")
                close(y, wanted, tolerance)
                for i, t in pairs(from) do
                    close(inputs[i].grad, t.grad, 8 * tolerance)
                end
                local _, pre = tocha.linear_gelu_with_preactivation(x:cuda(), w:cuda(), bias and bias:cuda())
                close(pre, tocha.linear(x:double(), w:double(), bias and bias:double()), tolerance)
            end
            for _, features in ipairs {16, 24, 8, 13} do
                local w, bias = make(features, 8), make(features)
                test(make(3, 5, 8), w, bias)
                test(make(3, 5, 8):transpose(1, 2), w, make(2 * features):view(features, 2):select(2, 1))
                test(make(8), w)
            end
        end)
    end

    it("asks cuBLASLt for gelu, whose output is of what is not rounded yet", function()
        if not os.getenv("TOCHA_HOSTGPU") then
            return
        end
        local x, w = tocha.randn(40, 8):to("bfloat16"):cuda(), tocha.randn(16, 8):to("bfloat16"):cuda()
        local y, pre = tocha.linear_gelu_with_preactivation(x, w)
        assert.is_true(pre:equal(tocha.linear(x, w)))
        assert.is_false(y:equal(pre:gelu("tanh")))
    end)

    it("rounds its factors to TF32 only where that is allowed", function()
        finally(function() tocha.set_float32_matmul_precision("highest") end)
        local x = tocha.full({4, 4}, 1 + 2.0 ^ -12, on)
        local exact = 4 * (1 + 2.0 ^ -12)
        local one = tocha.ones(4, 4, on)
        local function product()
            return x:mm(one)[{1, 1}]:item()
        end
        assert.is_false(cuda.matmul.allow_tf32)
        assert.are.equal(exact, product())
        cuda.matmul.allow_tf32 = true
        assert.are.equal("high", tocha.get_float32_matmul_precision())
        if os.getenv("TOCHA_HOSTGPU") then
            assert.are.equal(4.0, product())
        end
        tocha.set_float32_matmul_precision("highest")
        assert.is_false(cuda.matmul.allow_tf32)
        assert.are.equal(exact, product())
    end)

    it("refuses other settings", function()
        assert.is_truthy(expect.message(tocha.set_float32_matmul_precision, "low"):find('got "low"', 1, true))
        assert.is_truthy(expect.message(function() cuda.matmul.allow = true end):find("allow_tf32", 1, true))
    end)
end)
