--- tocha.cuda.graph: what is recorded, what a replay does, and what cannot be recorded.

local nn = require "nn"
local optim = require "optim"
local tocha = require "tocha"
local expect = require "tests.support.expect"

local cuda = tocha.cuda
local on = {device = "cuda"}

local function raises(text, f, ...)
    local message = expect.message(f, ...)
    assert(message:find(text, 1, true), message)
end

describe("a graph", function()
    it("does nothing while it is recorded, and all of it at each replay", function()
        local x, total = tocha.ones(1000, on), tocha.zeros(1000, on)
        local g, y = cuda.graph(function()
            assert.is_true(cuda.is_current_stream_capturing())
            total:add_(x)
            return x * 2 + 1
        end)
        assert.is_false(cuda.is_current_stream_capturing())
        assert.is_true(total:cpu() == tocha.zeros(1000))
        assert.is_true(g:size() >= 3)
        for i = 1, 3 do
            x:fill_(i)
            g:replay()
            assert.is_true(y:cpu() == tocha.full({1000}, 2.0 * i + 1))
        end
        assert.is_true(total:cpu() == tocha.full({1000}, 6.0))
    end)

    it("keeps its memory, and what it reads, to itself", function()
        local g, y
        do
            local x = tocha.arange(5000):to("float32"):cuda()
            g, y = cuda.graph(function() return ((x + 1) * 2):sqrt():sum() end)
        end
        collectgarbage()
        collectgarbage()
        cuda.empty_cache()
        local others = {}
        for i = 1, 20 do
            others[i] = tocha.full({5000}, -1.0, on)
        end
        g:replay()
        local expected = ((tocha.arange(5000):to("float64") + 1) * 2):sqrt():sum():item()
        assert.is_true(math.abs(y:item() - expected) < 1e-4 * expected)
        assert.is_true(others[7]:cpu() == tocha.full({5000}, -1.0))
        g:reset()
        raises("Graph:replay: the graph was reset", g.replay, g)
        assert.is_true(y:item() > 0)
    end)

    it("gives its memory back", function()
        local function live()
            collectgarbage()
            collectgarbage()
            cuda.empty_cache()
            return cuda.memory_reserved()
        end
        local x = tocha.ones(1 << 20, on)
        local before = live()
        local g = cuda.graph(function() return x * 2 end)
        g:replay()
        assert.is_true(live() > before)
        g:reset()
        assert.are.equal(before, live())
    end)

    it("trains as the same steps one by one do", function()
        local function train(graphed)
            tocha.manual_seed(3)
            local net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)):to("cuda")
            local optimizer = optim.SGD(net:parameters(), {lr = 0.1, momentum = 0.9})
            local x, y = tocha.zeros(10, 8, on), tocha.ones(10, {dtype = "int64", device = "cuda"})
            local function step()
                optimizer:zero_grad()
                local loss = tocha.nll_loss(net(x):log_softmax(2), y)
                loss:backward()
                optimizer:step()
                return loss
            end
            local data = tocha.Generator()
            data:manual_seed(9)
            local losses, g, loss = {}, nil, nil
            for i = 1, 6 do
                x:copy_(tocha.randn(10, 8, {generator = data}))
                y:copy_(tocha.randint(3, {10}, {generator = data}))
                if graphed and i > 2 then
                    if not g then
                        g, loss = cuda.graph(step)
                    end
                    g:replay()
                else
                    loss = step()
                end
                losses[i] = loss:item()
            end
            return losses
        end
        assert.are.same(train(false), train(true))
    end)

    it("times no engines while it is recorded", function()
        local cudnn = tocha.backends.cudnn
        local weight = tocha.randn(5, 3, 3, 3):cuda()
        local function size_of(x)
            local g, y = cuda.graph(function() return tocha.conv2d(x, weight) end)
            g:replay()
            return g:size(), y
        end
        local size = size_of(tocha.randn(1, 3, 9, 7):cuda())
        local x = tocha.randn(1, 3, 9, 8):cuda()
        cudnn.benchmark = true
        local ok, timed, y = pcall(size_of, x)
        local later = tocha.conv2d(x, weight)
        cudnn.benchmark = false
        assert(ok, timed)
        assert.are.equal(size, timed)
        assert.is_true(tocha.allclose(y, later))
        assert.is_true(tocha.allclose(y:cpu(), tocha.conv2d(x:cpu(), weight:cpu()), {atol = 1e-4}))
    end)

    it("draws new random numbers, those of the same program without it", function()
        tocha.manual_seed(5)
        local x = tocha.ones(300, on)
        local first = {tocha.rand(7, on):cpu(), tocha.dropout(x, 0.5, true):cpu()}
        local second = {tocha.rand(7, on):cpu(), tocha.dropout(x, 0.5, true):cpu()}
        local g, a, b = cuda.graph(function() return tocha.rand(7, on), tocha.dropout(x, 0.5, true) end)
        tocha.manual_seed(5)
        for _, wanted in ipairs {first, second} do
            g:replay()
            assert.is_true(a:cpu() == wanted[1])
            assert.is_true(b:cpu() == wanted[2])
        end
        raises("randperm: a graph cannot record this", cuda.graph, function() return tocha.randperm(5, on) end)
        local own = tocha.Generator()
        raises("of the default generator alone", cuda.graph, function()
            return tocha.rand(3, {device = "cuda", generator = own})
        end)
    end)

    for name, draw in pairs {
        bernoulli = function(x) return tocha.bernoulli(x) end,
        poisson = function(x) return tocha.poisson(x * 9) end,
        ["multinomial with replacement"] = function(x) return tocha.multinomial(x, 40, true) end,
        ["multinomial without"] = function(x) return tocha.multinomial(x, 40) end,
        exponential = function(x) return x:clone():exponential_() end,
        geometric = function(x) return x:clone():geometric_(0.1) end,
    } do
        it("draws what it would draw without one: " .. name, function()
            local x = tocha.linspace(0.1, 0.9, 200, on):view(2, 100)
            tocha.manual_seed(7)
            local wanted = {}
            for i = 1, 3 do
                wanted[i] = draw(x):cpu()
            end
            local g, y = cuda.graph(draw, x)
            tocha.manual_seed(7)
            for i = 1, 3 do
                g:replay()
                assert.is_true(y:cpu() == wanted[i])
            end
        end)
    end

    it("says what cannot be recorded, and the session goes on", function()
        local x = tocha.tensor({1.0, 0.0, 2.0}):cuda()
        raises("a graph cannot record this: it waits for the device", cuda.graph, function() return x:sum():item() end)
        raises("nonzero: a graph cannot record this", cuda.graph, function() return x:nonzero() end)
        raises("a graph cannot record this", cuda.graph, function() return x + tocha.tensor({1.0, 2.0, 3.0}):cuda() end)
        raises("a graph cannot record this", cuda.graph, cuda.synchronize)
        raises("a graph is being recorded already", cuda.graph, function() cuda.graph(function() end) end)
        raises("attempt to yield", cuda.graph, coroutine.yield)
        raises("expected a function, got 3", cuda.graph, 3)
        raises("adam_step: a graph cannot record this", cuda.graph, function()
            local m, v = tocha.zeros(3, on), tocha.zeros(3, on)
            tocha.adam_step({x}, {x}, {m}, {v}, {steps = 1})
        end)
        assert.is_false(cuda.is_current_stream_capturing())
        assert.are.equal(3.0, x:sum():item())
    end)

    it("does not leak where it fails", function()
        local function live()
            collectgarbage()
            collectgarbage()
            cuda.empty_cache()
            return cuda.memory_reserved()
        end
        local x = tocha.ones(1000, on)
        local before = live()
        for _ = 1, 5 do
            pcall(cuda.graph, function() error((x * 2):sum():item()) end)
        end
        assert.are.equal(before, live())
    end)
end)
