--- tocha.cuda, device memory, streams, faults: on the device "cuda", which tests/hostgpu stands in for.

local tocha = require "tocha"
local process = require "tests.support.process"

local cuda = tocha.cuda

assert(cuda.is_available(), "these specs want a GPU, or TOCHA_HOSTGPU")

local on_host = os.getenv("TOCHA_HOSTGPU") ~= nil

local function stats()
    collectgarbage()
    collectgarbage()
    return cuda.memory_stats()
end

local function empty(mib)
    return tocha.empty(mib << 18, {device = "cuda"})
end

describe("a CUDA device", function()
    it("is told about", function()
        assert.is_true(cuda.device_count() >= 1)
        assert.is_string(cuda.get_device_name())
        local p = cuda.get_device_properties("cuda:0")
        assert.is_true(p.total_memory > 0 and p.multi_processor_count > 0)
        local major, minor = cuda.get_device_capability(0)
        assert.are.same({p.major, p.minor}, {major, minor})
        assert.is_truthy(require("tocha.doctor").report():find("cuda:0  " .. p.name, 1, true))
    end)

    it("is refused by number where there is none", function()
        assert.has_error(function() cuda.synchronize(99) end)
        local ok, message = pcall(tocha.zeros, 2, {device = "cuda:99"})
        assert.is_false(ok)
        assert.is_truthy(message:find("device cuda:99 is not available: the last of %d+ is cuda:%d"))
    end)

    it("says what is missing where it cannot be used", function()
        local text = process.run("-u TOCHA_HOSTGPU LD_LIBRARY_PATH=", [[
            local tocha = require "tocha"
            local ok, why = tocha.cuda.is_available()
            print(ok or why)
            print(ok or select(2, pcall(tocha.zeros, 2, {device = "cuda"})))]])
        if not text:find("^true") then
            local why = text:match("^[^\n]+")
            assert.is_true(#why > 10)
            assert.is_truthy(text:find("zeros: device cuda:0 is not available: " .. why, 1, true))
        end
    end)

    it("takes and gives back the values of tensors of every layout", function()
        local x = tocha.arange(24):view(2, 3, 4)
        local views = {x, x:permute(3, 1, 2), x:select(2, 2), x:narrow(3, 2, 2), x:select(1, 1):expand(5, 3, 4)}
        for _, t in ipairs(views) do
            local there = t:cuda()
            assert.are.equal("cuda:0", there.device)
            assert.is_true(there:cpu() == t:clone())
            assert.is_true(there:to("float64"):cpu() == t:to("float64"))
        end
    end)

    it("takes them from pinned memory too", function()
        local x = tocha.arange(7):to("float32")
        local pinned = x:pin_memory()
        assert.is_false(x:is_pinned())
        assert.is_true(pinned:is_pinned() and pinned:narrow(1, 2, 3):is_pinned())
        assert.is_true(rawequal(pinned, pinned:pin_memory()))
        assert.is_true(pinned == x and pinned:cuda():cpu() == x)
        pinned:add_(1)
        assert.is_true(pinned == x + 1)
        local ok, message = pcall(function() return x:cuda():pin_memory() end)
        assert.is_false(ok)
        assert.is_truthy(message:find("only tensors on the CPU can be pinned, this one is on cuda:0", 1, true))
    end)

    it("copies from pinned memory without waiting where it may", function()
        local x = tocha.randn(64, 64)
        local there = {}
        for i = 1, 8 do
            local pinned = (x + i):pin_memory()
            there[i] = i % 2 == 0 and pinned:to {device = "cuda", non_blocking = true}
                or pinned:cuda {non_blocking = true}
            pinned = nil -- luacheck: ignore
            collectgarbage()
        end
        for i = 1, 8 do
            assert.is_true(tocha.equal(there[i]:cpu(), x + i))
        end
        assert.is_true(tocha.equal(x:cuda(nil, true):cpu(), x))
        assert.is_true(tocha.equal(x:t():pin_memory():to("cuda", {non_blocking = true}):cpu(), x:t()))
    end)

    it("copy_ takes tensors of other devices in every layout and dtype", function()
        local x = tocha.arange(24):to("float32"):view(2, 3, 4) - 7
        local views = {
            function(t) return t end,
            function(t) return t:permute(2, 1, 3) end,
            function(t) return t:slice(3, 1, 4, 2) end,
            function(t) return t:narrow(1, 1, 1):expand(5, 3, 4) end,
        }
        for _, way in ipairs {{"cpu", "cuda"}, {"cuda", "cpu"}} do
            local src = x:to(way[1])
            for i = 1, #views * 3 do
                local view, dtype = views[(i - 1) // 3 + 1], ({"float32", "float64", "int16"})[i % 3 + 1]
                local seen = view(src)
                local size = {table.unpack(seen:size())}
                -- Into a tensor without gaps, into one in another order, into a part of one.
                local whole = tocha.zeros(size[1], size[2], size[3], {dtype = dtype, device = way[2]})
                local turned = tocha.zeros(size[3], size[2], size[1], {dtype = dtype, device = way[2]}):permute(3, 2, 1)
                local large = tocha.zeros(size[1] + 2, size[2], size[3] + 1, {dtype = dtype, device = way[2]})
                local part = large:narrow(1, 2, size[1]):narrow(3, 1, size[3])
                local wanted = view(x):to(dtype)
                for _, to in ipairs {whole, turned, part} do
                    assert.is_true(rawequal(to, to:copy_(seen)))
                    assert.is_true(tocha.equal(to:cpu(), wanted))
                end
                assert.are.equal(wanted:sum():item(), large:sum():item())
            end
        end
    end)

    it("copy_ broadcasts what comes from another device, and says what does not fit", function()
        local x = tocha.zeros(2, 3, {device = "cuda"})
        assert.is_true(tocha.equal(x:copy_(tocha.tensor({1, 2, 3})):cpu(), tocha.tensor({{1.0, 2, 3}, {1, 2, 3}})))
        assert.is_true(tocha.equal(x:copy_(tocha.tensor(5)):cpu(), tocha.full({2, 3}, 5.0)))
        assert.is_true(tocha.equal(tocha.zeros(2):copy_(x:sum()), tocha.full({2}, 30.0)))
        assert.is_true(tocha.equal(tocha.zeros({}):copy_(x[1][1]), tocha.tensor(5.0)))
        assert.are.equal("cuda:0", x:copy(tocha.ones(3)).device)
        assert.is_true(tocha.equal(x:copy(tocha.ones(3)):cpu(), tocha.ones(2, 3)))
        x[2] = tocha.tensor({7.0, 8.0, 9.0})
        assert.is_true(tocha.equal(x:cpu(), tocha.tensor({{5.0, 5, 5}, {7, 8, 9}})))
        local ok, message = pcall(x.copy_, x, tocha.ones(4))
        assert.is_false(ok)
        assert.is_truthy(message:find("copy_: src of shape 4 does not broadcast to input's shape 2x3", 1, true)
            or message:find("copy: src of shape 4 does not broadcast to input's shape 2x3", 1, true), message)
        assert.is_false((pcall(x.copy_, x, tocha.complex(tocha.ones(3), tocha.ones(3)))))
    end)

    it("copy_ gives gradients to where they belong", function()
        local src = tocha.tensor({1.0, 2.0}, {dtype = "float64", requires_grad = true})
        local start = tocha.ones(3, 2, {device = "cuda", requires_grad = true})
        local x = start * 1
        x:narrow(1, 2, 2):copy_(src);
        (x * tocha.tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}):cuda()):sum():backward()
        assert.are.equal("cpu", src.grad.device)
        assert.is_true(src.grad == tocha.tensor({8.0, 10.0}, {dtype = "float64"}))
        assert.is_true(start.grad:cpu() == tocha.tensor({{1.0, 2.0}, {0, 0}, {0, 0}}))
        local there = tocha.ones(2, {device = "cuda", requires_grad = true})
        local here = tocha.zeros(2):copy_(there);
        (here * 3):sum():backward()
        assert.is_true(there.grad:cpu() == tocha.full({2}, 3.0))
    end)

    it("copy_ from pinned memory need not wait", function()
        local x, there = tocha.randn(64, 64), {}
        for i = 1, 6 do
            local pinned = (x + i):pin_memory()
            there[i] = tocha.zeros(64, 66, {device = "cuda"})
            there[i]:narrow(2, 1, i % 2 == 0 and 64 or 66):narrow(2, 1, 64):copy_(pinned, {non_blocking = true})
            pinned = nil -- luacheck: ignore
            collectgarbage()
        end
        for i = 1, 6 do
            assert.is_true(tocha.equal(there[i]:narrow(2, 1, 64):cpu(), x + i))
        end
        assert.is_true(tocha.equal(tocha.zeros(64, 64, {device = "cuda"}):copy_(x, true):cpu(), x))
    end)

    it("computes with numbers and CPU scalars in every place", function()
        local x = tocha.tensor({1.5, -2}):cuda()
        local scalar = tocha.tensor(2.0)
        assert.is_true((x * 2):cpu() == tocha.tensor({3.0, -4.0}))
        assert.is_true((2 - x):cpu() == tocha.tensor({0.5, 4.0}))
        assert.is_true((scalar * x):cpu() == tocha.tensor({3.0, -4.0}))
        assert.is_true((x:to("float16") + 0.25):cpu() == tocha.tensor({1.75, -1.75}, {dtype = "float16"}))
        assert.is_true(x:gt(scalar):cpu() == tocha.tensor({false, false}))
        x:add_(1)
        assert.is_true(x:cpu() == tocha.tensor({2.5, -1.0}))
    end)

    it("draws the same random numbers as the CPU", function()
        local draws = {
            function(o) return tocha.rand(1001, o) end,
            function(o) return tocha.randn(1001, o) end,
            function(o) return tocha.randint(-5, 1 << 40, {1001}, {device = o.device, dtype = "int64"}) end,
            function(o) return tocha.randperm(1001, {device = o.device}) end,
            function(o) return tocha.zeros(1001, o):uniform_(-2, 3) end,
            function(o) return tocha.zeros(1001, o):normal_(1, 2) end,
            function(o) return tocha.dropout_mask(tocha.zeros(1001, o), 0.3) end,
            function(o) return tocha.zeros(1001, o):random_() end,
            function(o) return tocha.zeros(1001, o):random_(-20, 100) end,
            function(o) return tocha.zeros(1001, o):exponential_(2) end,
            function(o) return tocha.zeros(1001, o):geometric_(0.1) end,
            function(o) return tocha.zeros(1001, o):cauchy_(1, 2) end,
            function(o) return tocha.zeros(1001, o):log_normal_(0, 0.5) end,
            function(o) return tocha.zeros(1001, o):bernoulli_(0.3) end,
            function(o) return tocha.linspace(0, 1, 1001, o):bernoulli() end,
            function(o) return tocha.linspace(0, 60, 1001, o):poisson() end,
            function(o) return tocha.linspace(0, 1, 1001, o):multinomial(300, true) end,
            function(o) return tocha.linspace(0, 1, 1001, o):expand(3, -1):multinomial(300) end,
        }
        for _, dtype in ipairs {"float32", "float64", "float16", "bfloat16"} do
            for i, draw in ipairs(draws) do
                tocha.manual_seed(i)
                local here = draw {dtype = dtype, device = "cpu"}
                local following = draw {dtype = dtype, device = "cpu"}
                tocha.manual_seed(i)
                assert.is_true(draw {dtype = dtype, device = "cuda"}:cpu() == here, dtype .. " " .. i)
                assert.is_true(draw {dtype = dtype, device = "cuda"}:cpu() == following, dtype .. " " .. i)
            end
        end
    end)
end)

describe("device memory", function()
    before_each(function()
        collectgarbage()
        collectgarbage()
        cuda.empty_cache()
    end)

    it("is handed out in steps of 512 bytes and taken back", function()
        local before = stats()
        local x = tocha.empty(1, {device = "cuda"})
        assert.are.equal(512, cuda.memory_allocated() - before.live)
        local y = tocha.empty(129, {device = "cuda"})
        assert.are.equal(512 + 1024, cuda.memory_allocated() - before.live)
        assert.are.equal(130, x:numel() + y:numel())
        x, y = nil, nil -- luacheck: ignore
        local after = stats()
        assert.are.equal(before.live, after.live)
        assert.are.equal(2, after.frees - before.frees)
    end)

    it("is used again without asking the device", function()
        empty(3)
        local before = stats()
        for _ = 1, 5 do
            local y <close> = empty(3)
            assert.are.equal(1, y:dim())
        end
        assert.are.equal(before.device_allocs, cuda.memory_stats().device_allocs)
        assert.is_true(before.cached >= 3 << 20)
    end)

    it("is cut, and joined again where neighbours are free", function()
        local parts = {}
        for i = 1, 6 do
            parts[i] = tocha.empty(75 << 10, {device = "cuda"}) -- 300 KiB of a segment of 2 MiB
        end
        assert.are.equal(6, #parts)
        local asked = cuda.memory_stats().device_allocs
        parts[2], parts[4], parts[6] = nil, nil, nil
        stats()
        parts[1], parts[3], parts[5] = nil, nil, nil
        stats()
        local whole <close> = empty(1)
        assert.are.equal(asked, cuda.memory_stats().device_allocs)
        assert.are.equal(1 << 18, whole:numel())
    end)

    it("goes back to the device when it is asked to", function()
        do
            local x <close> = empty(5)
            assert.are.equal(1, x:dim())
        end
        local cached, free = stats().cached, cuda.mem_get_info()
        cuda.empty_cache()
        assert.is_true(stats().cached <= cached - (5 << 20))
        assert.is_true(cuda.mem_get_info() >= free + (5 << 20))
    end)

    it("is summed up in words", function()
        assert.is_truthy(cuda.memory_summary():find("in tensors +[%d.]+ MiB\n"))
    end)

    it("counts its peak", function()
        cuda.reset_peak_memory_stats()
        local before = cuda.max_memory_allocated()
        do
            local x <close> = empty(7)
            assert.are.equal(1, x:dim())
        end
        assert.are.equal(before + (7 << 20), cuda.max_memory_allocated())
    end)

    it("keeps to a limit, and says what there is", function()
        finally(function() cuda.set_memory_limit(0) end)
        cuda.set_memory_limit(cuda.memory_reserved() + (8 << 20))
        local x = empty(6)
        local ok, message = pcall(empty, 64)
        assert.is_false(ok)
        assert.is_truthy(message:find("empty: out of memory: 64.0 MiB are needed on cuda:0, where [%d.]+ %a+ are " ..
            "live and [%d.]+ %a+ cached %(largest block [%d.]+ %a+%); the limit is"), message)
        assert.are.equal(6 << 18, x:numel())
        assert.are.equal(1, empty(1):dim())
        assert.has_error(function() cuda.set_per_process_memory_fraction(1.5) end)
    end)

    if on_host then
        it("that only garbage holds is collected before an allocation fails", function()
            assert.are.equal("ok\n", process.run("HOSTGPU_MEMORY=" .. (64 << 20), [[
                local tocha = require "tocha"
                collectgarbage("stop")
                for _ = 1, 6 do tocha.empty(2 << 20, {device = "cuda"}) end
                print(tocha.empty(8 << 20, {device = "cuda"}):dim() == 1 and "ok")]]))
        end)

        it("is not kept under TOCHA_GPU_NOCACHE=1", function()
            assert.are.equal("0 0\n", process.run("TOCHA_GPU_NOCACHE=1", [[
                local tocha = require "tocha"
                do local x <close> = tocha.zeros(1000, {device = "cuda"}) + 1 end
                collectgarbage()
                collectgarbage()
                local s = tocha.cuda.memory_stats()
                print(s.live, s.cached)]]):gsub("\t", " "))
        end)

        it("that is used as scratch is given back where more of it fails", function()
            assert.are.equal("", process.run("TOCHA_GPU_NOCACHE=1", [[dofile "tests/gpu/scratch.lua"]]))
        end)
    end
end)

describe("a fault in the data", function()
    it("is raised where the device is waited for, with the op's name, and the session goes on", function()
        local x = tocha.arange(5):cuda()
        local picked = x:index_select(1, tocha.tensor({1, 9}):cuda())
        local ok, message = pcall(cuda.synchronize)
        assert.is_false(ok)
        assert.is_truthy(message:find("index_select: index must be in [1, 5] or [-5, -1], got 9 at position 2", 1,
            true))
        cuda.synchronize()
        assert.are.equal(2, picked:numel())
        assert.is_true((x + 1):cpu() == tocha.tensor({2, 3, 4, 5, 6}))
    end)

    it("is raised by the op itself under TOCHA_GPU_SYNC=1", function()
        local text = process.run("TOCHA_GPU_SYNC=1", [[
            local tocha = require "tocha"
            local x, zero = tocha.arange(5):cuda(), tocha.zeros(5, {dtype = "int64", device = "cuda"})
            print(pcall(function() return x // zero end))]])
        assert.is_truthy(text:find("^false\t[^\n]*floor_divide: other has a 0"), text)
    end)
end)

describe("streams", function()
    it("order work by events", function()
        local side = cuda.Stream()
        local x = tocha.ones(1000, {device = "cuda"})
        side:wait_stream(cuda.current_stream())
        local y = cuda.stream(side, function() return x * 2 end)
        x:record_stream(side)
        cuda.current_stream():wait_stream(side)
        assert.are.equal(2000, (y + 0):sum():item() // 1)
        side:synchronize()
        assert.is_true(side:query())
        assert.are.equal("cuda:0", side:device())
    end)

    it("measure time between events that were made for it", function()
        local first, last = cuda.Event {enable_timing = true}, cuda.Event {enable_timing = true}
        first:record()
        tocha.ones(10, {device = "cuda"}):add_(1)
        last:record()
        last:synchronize()
        assert.is_true(last:query())
        assert.is_true(first:elapsed_time(last) >= 0)
        local plain = cuda.Event()
        plain:record()
        assert.has_error(function() first:elapsed_time(plain) end)
    end)

    it("come back after an error", function()
        local side = cuda.Stream {priority = -1}
        assert.has_error(function() cuda.stream(side, error, "x") end)
        assert.are_not.equal(side, cuda.current_stream())
    end)

    if on_host then
        it("are waited for where results are read, with work that runs as late as it can", function()
            for _, order in ipairs {"forward", "reverse", "random:3"} do
                assert.are.equal("ok\n", process.run("HOSTGPU_LAZY=1 HOSTGPU_ORDER=" .. order, [[
                    local tocha = require "tocha"
                    local cuda = tocha.cuda
                    local x = tocha.arange(3000):to("float32"):cuda()
                    local side = cuda.Stream()
                    side:wait_stream(cuda.current_stream())
                    local y = cuda.stream(side, function() return (x * 2):softmax(1) end)
                    cuda.current_stream():wait_stream(side)
                    local sum = (y + x):sum():item()
                    local expected = x:cpu():sum():item() + 1
                    print(math.abs(sum - expected) <= 1e-5 * expected and "ok" or sum)]]))
            end
        end)

        it("order copies between devices, with work that runs as late as it can", function()
            assert.are.equal("ok\n", process.run("HOSTGPU_DEVICES=2 HOSTGPU_LAZY=1", [[
                local tocha = require "tocha"
                local x = tocha.arange(5000):to("float32"):to("cuda:0")
                local there = (x * 2):to("cuda:1")
                local back = (there + 1):to("cuda:0")
                x:zero_()
                local wanted = tocha.arange(5000):to("float32") * 2 + 1
                print(back:cpu() == wanted and there:to("cpu") == wanted - 1 and "ok")]]))
        end)

        it("are waited for by copy_ between devices", function()
            assert.are.equal("ok\n", process.run("HOSTGPU_DEVICES=2 HOSTGPU_LAZY=1", [[
                local tocha = require "tocha"
                local x = tocha.arange(5000):to("float32"):to("cuda:0")
                local there = tocha.zeros(2, 5000, {device = "cuda:1", dtype = "float64"})
                there:copy_(x * 2)
                local back = tocha.zeros(5000, 3, {device = "cuda:0"})
                back:select(2, 3):copy_(there[2] + 1)
                x:zero_()
                local wanted = tocha.arange(5000):to("float32") * 2 + 1
                print(back:select(2, 3):cpu() == wanted and there[1]:cpu() == (wanted - 1):to("float64") and "ok")]]))
        end)

        it("and memory follow several devices", function()
            assert.are.equal("2 1 cuda:1 cuda:0 true false\n", process.run("HOSTGPU_DEVICES=2", [[
                local tocha = require "tocha"
                local cuda = tocha.cuda
                local x = cuda.device(1, function()
                    io.write(cuda.device_count(), " ", cuda.current_device(), " ")
                    return tocha.ones(3, {device = "cuda"})
                end)
                local y = x:to("cuda:0")
                print(x.device, y.device, (y + 1):cpu() == tocha.full({3}, 2.0), (pcall(tocha.add, x, y)))]])
                :gsub("\t", " "))
        end)
    end
end)
