--- Mixed precision: what autocast casts and where it holds; GradScaler. tests/autograd_reference_spec.lua has the same
--- beside PyTorch.

local nn = require "nn"
local optim = require "optim"
local tocha = require "tocha"
local expect = require "tests.support.expect"

local device = os.getenv("TOCHA_DEVICE") or "cpu"
local on = {device = device}

local function raises(text, f, ...)
    local message = expect.message(f, ...)
    assert(message:find(text, 1, true), message)
end

local function leaf(...)
    local shape = {...}
    return tocha.randn(shape, on):requires_grad_()
end

local function lower(f, settings)
    return tocha.autocast(device, settings or {dtype = "bfloat16"}, f)
end

describe("autocast", function()
    it("computes products in the half type, losses and the like in float32, the rest in what it is given", function()
        local x, w = tocha.randn(4, 8, on), leaf(8, 8)
        lower(function()
            local y = x:mm(w)
            assert.are.equal("bfloat16", y.dtype)
            assert.are.equal("bfloat16", (y + 1):relu().dtype)
            assert.are.equal("float32", (y + x).dtype)
            assert.are.equal("float32", y:softmax(2).dtype)
            assert.are.equal("float32", y:exp().dtype)
            assert.are.equal("float32", (y ^ 2).dtype)
            assert.are.equal("float32", y:sum().dtype)
            assert.are.equal("bfloat16", y:mean().dtype)
            assert.are.equal("float32", tocha.mse_loss(y, y).dtype)
            assert.are.equal("float32", y:norm().dtype)
            assert.are.equal("bfloat16", tocha.linear(y:exp(), w).dtype)
            assert.are.equal("bfloat16", tocha.linear_gelu(y:exp(), w).dtype)
            assert.are.equal("bfloat16", tocha.einsum("ij,jk->ik", {x, w}).dtype)
            assert.are.equal("float32", tocha.cat({y, x}).dtype)
            assert.are.equal("bfloat16", tocha.cat({y, y}).dtype)
            assert.are.equal("bfloat16", y:sum({dtype = "bfloat16"}).dtype)
        end)
        assert.are.equal("float32", x:mm(w).dtype)
    end)

    it("leaves float64, integers and numbers alone", function()
        local x = tocha.ones(2, 2, {dtype = "float64", device = device})
        lower(function()
            assert.are.equal("float64", x:mm(x).dtype)
            assert.are.equal("float64", x:exp().dtype)
            local i = tocha.ones(2, 2, {dtype = "int64", device = device})
            assert.are.equal("int64", i:sum().dtype)
        end)
    end)

    it("takes float16 too, and has a usual type for each device", function()
        local x = tocha.ones(2, 2, on)
        assert.are.equal("float16", lower(function() return x:mm(x).dtype end, {dtype = "float16"}))
        assert.are.equal("bfloat16 float16", tocha.autocast(function()
            return tocha.get_autocast_dtype("cpu") .. " " .. tocha.get_autocast_dtype("cuda")
        end))
        assert.is_nil(tocha.get_autocast_dtype("cpu"))
    end)

    it("can be switched off for a part, and holds for a block", function()
        local x = tocha.ones(2, 2, on)
        do
            local guard <close> = tocha.autocast(device, {dtype = "bfloat16"})
            assert.is_true(tocha.is_autocast_enabled(device))
            assert.are.equal("bfloat16", x:mm(x).dtype)
            assert.are.equal("float32", lower(function() return x:mm(x).dtype end, {enabled = false}))
            assert.are.equal("bfloat16", x:mm(x).dtype)
            assert.is_not_nil(guard)
        end
        assert.are.equal("float32", x:mm(x).dtype)
        assert.is_false(pcall(lower, error))
        assert.is_false(tocha.is_autocast_enabled(device))
    end)

    it("follows the coroutine", function()
        local x = tocha.ones(2, 2, on)
        local other = coroutine.wrap(function()
            lower(function()
                coroutine.yield(x:mm(x).dtype)
                coroutine.yield(x:mm(x).dtype)
            end)
        end)
        assert.are.equal("bfloat16", other())
        assert.are.equal("float32", x:mm(x).dtype)
        assert.are.equal("bfloat16", other())
    end)

    it("gives gradients in the leaves' type, the same with and without kept casts", function()
        local x, w = tocha.randn(4, 8, on), leaf(8, 8)
        local function gradient(cached)
            local loss = lower(function()
                return x:mm(w):relu():mm(w):square():sum()
            end, {dtype = "bfloat16", cache_enabled = cached})
            return tocha.grad(loss, w)
        end
        local g = gradient(true)
        assert.are.equal("float32", g.dtype)
        assert.is_true(g:isfinite():all():item())
        assert.is_true(g:allclose(gradient(false), {rtol = 0.02, atol = 0.05}))
    end)

    it("casts a weight once, and anew when it has been written", function()
        local x, w = tocha.ones(1, 2, on), tocha.ones(2, 1, on):requires_grad_()
        lower(function()
            assert.are.equal(2, x:mm(w):item())
            tocha.no_grad(function() w:mul_(3) end)
            assert.are.equal(6, x:mm(w):item())
            local again = tocha.no_grad(function() return x:mm(w) end)
            assert.is_false(again.requires_grad)
            assert.is_true(x:mm(w).requires_grad)
        end)
    end)

    it("allows several backward passes through one kept cast", function()
        local x, w = tocha.ones(1, 2, on), tocha.ones(2, 1, on):requires_grad_()
        lower(function()
            for _ = 1, 3 do
                x:mm(w):sum():backward()
            end
        end)
        assert.is_true(w.grad:cpu() == tocha.full({2, 1}, 3.0))
    end)

    it("holds again where a checkpoint runs its function a second time", function()
        local w = tocha.randn(4, 4, on):requires_grad_()
        local x = tocha.randn(2, 4, on):requires_grad_()
        local loss, dtype = lower(function()
            local y = tocha.autograd.checkpoint(function(v) return v:mm(w):relu():mm(w) end, x)
            return y:float():sum(), y.dtype
        end)
        loss:backward()
        assert.are.equal("bfloat16", dtype)
        assert.are.equal("float32", w.grad.dtype)
    end)

    it("works inside vmap", function()
        local w = tocha.randn(3, 3, on)
        local y = lower(function()
            return tocha.func.vmap(function(v) return w:mv(v) end)(tocha.randn(5, 3, on))
        end)
        assert.are.equal("bfloat16", y.dtype)
    end)

    it("says what is wrong with its arguments", function()
        raises('autocast: dtype must be "float16" or "bfloat16", got "float32"', tocha.autocast, "cpu",
            {dtype = "float32"})
        raises('autocast: device must be "cpu" or "cuda", got "gpu"', tocha.autocast, "gpu")
        raises('autocast: unknown option "type"', tocha.autocast, {type = 1})
        raises("autocast: expected a function, got 3", tocha.autocast, "cpu", {}, 3)
    end)

    it("does not leak", function()
        local w = leaf(16, 16)
        local x = tocha.randn(4, 16, on)
        local function live()
            collectgarbage()
            collectgarbage()
            return require("tocha.core").memory_stats().tensors
        end
        local function once()
            lower(function() return x:mm(w):mm(w):sum() end):backward()
        end
        once()
        local before = live()
        for _ = 1, 5 do
            once()
        end
        assert.is_true(live() <= before)
    end)
end)

describe("GradScaler", function()
    it("trains in float16 what overflows at first", function()
        tocha.manual_seed(1)
        local net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
        net:to(device)
        local optimizer = optim.SGD(net:parameters(), {lr = 0.05})
        local scaler = tocha.amp.GradScaler {init_scale = 2.0 ^ 40}
        local x = tocha.randn(32, 4, on)
        local y = x:sum(2, true)
        local first, last
        for _ = 1, 60 do
            optimizer:zero_grad()
            local loss = lower(function() return tocha.mse_loss(net(x), y) end, {dtype = "float16"})
            scaler:scale(loss):backward()
            scaler:step(optimizer)
            scaler:update()
            first, last = first or loss:item(), loss:item()
        end
        assert.is_true(last < first / 2)
        assert.is_true(scaler:get_scale() < 2.0 ^ 40)
    end)

    it("lets gradients be clipped between unscale_ and step", function()
        local w = tocha.ones(2, on):requires_grad_()
        local optimizer, scaler = optim.SGD({w}, {lr = 1}), tocha.amp.GradScaler {init_scale = 16}
        scaler:scale((w * 3):sum()):backward()
        scaler:unscale_(optimizer)
        assert.is_true(w.grad:cpu() == tocha.full({2}, 3.0))
        raises("GradScaler.unscale_: it has been called for this optimizer", scaler.unscale_, scaler, optimizer)
        scaler:step(optimizer)
        raises("GradScaler.step: it has been called", scaler.step, scaler, optimizer)
        scaler:update()
        assert.is_true(w:detach():cpu() == tocha.full({2}, -2.0))
    end)

    it("keeps its state", function()
        local scaler = tocha.amp.GradScaler {init_scale = 4, growth_interval = 7}
        local other = tocha.amp.GradScaler()
        other:load_state_dict(scaler:state_dict())
        assert.are.same(scaler:state_dict(), other:state_dict())
        assert.are.equal(4.0, other:get_scale())
        assert.are.same({}, tocha.amp.GradScaler({enabled = false}):state_dict())
        raises("GradScaler.load_state_dict: the state has no", other.load_state_dict, other, {})
    end)

    it("does nothing where it is not enabled", function()
        local scaler, loss = tocha.amp.GradScaler {enabled = false}, tocha.ones(1)
        assert.is_true(rawequal(loss, scaler:scale(loss)))
        assert.are.equal(1.0, scaler:get_scale())
    end)

    it("says what is wrong", function()
        local scaler = tocha.amp.GradScaler()
        raises("GradScaler.update: neither step nor unscale_", scaler.update, scaler)
        raises("GradScaler.step: no parameter of the optimizer has a gradient", scaler.step, scaler,
            optim.SGD({leaf(2)}, {lr = 1}))
        raises("GradScaler: growth_factor must be above 1", tocha.amp.GradScaler, {growth_factor = 0.5})
    end)
end)
