local tocha = require "tocha"
local message = require("tests.support.expect").message

local function fails(expected, f)
    local text = message(f)
    assert.is_truthy(text:find(expected), text)
end

local function parts(z)
    return tocha.view_as_real(z):tolist()
end

describe("a complex number", function()
    it("is made of its parts and gives them back", function()
        local z = tocha.complex(1, -2)
        assert.equal("complex64", z.dtype)
        assert.is_true(z:is_complex())
        assert.is_false(z:is_floating_point())
        local re, im = z:item()
        assert.same({1.0, -2.0}, {re, im})
        local wide = tocha.complex(tocha.tensor(1, {dtype = "float64"}), 0.1)
        assert.equal("complex128", wide.dtype)
        assert.equal(0.1, wide:imag():item())
        assert.equal(0.1, wide:masked_fill(tocha.tensor(true), 0.1):real():item())
    end)

    it("follows the default dtype", function()
        finally(function() tocha.set_default_dtype("float32") end)
        tocha.set_default_dtype("float64")
        assert.equal("complex128", tocha.complex(0.1, 0.2).dtype)
        assert.equal("complex128", tocha.tensor({tocha.complex(0.1, 0.2)}).dtype)
        assert.equal("complex128", (tocha.tensor({1, 2}) * tocha.complex(0, 1)).dtype)
    end)

    it("calculates with numbers and tensors", function()
        local z = tocha.complex(1, 2)
        assert.is_true(z * z == tocha.complex(-3, 4))
        assert.is_true(z + 1 == tocha.complex(2, 2))
        assert.is_true(2 - z == tocha.complex(1, -2))
        assert.is_true((z / z):sub(1):abs():item() < 1e-6)
        assert.is_true(z ^ 2 == z * z)
        assert.equal("complex128", (tocha.tensor({1.5}, {dtype = "float64"}) + z).dtype)
        assert.equal("complex64", (tocha.tensor({1.5}, {dtype = "float16"}) + z).dtype)
    end)

    it("reads as one in text", function()
        local z = tocha.complex(1, -2.5)
        assert.equal("z = 1-2.5i", "z = " .. z)
        assert.equal("<1-2.5i>", ("<%s>"):format(z))
        assert.equal("tensor(1.0000-2.5000i, complex64)", tostring(z))
        local pair = tocha.tensor({tocha.complex(1, 2), tocha.complex(3, -0.0)})
        assert.equal("tensor({1+2i, 3-0i}, complex64)", tostring(pair))
        assert.equal("tensor({}, complex128, shape 0)", tostring(tocha.zeros(0, {dtype = "complex128"})))
        assert.equal("tensor(nan+infi, complex64)", tostring(tocha.complex(0 / 0, 1 / 0)))
    end)

    it("goes into tensors and out of them", function()
        local t = tocha.tensor({{1, tocha.complex(2, 3)}, {4.5, true}})
        assert.equal("complex64", t.dtype)
        assert.same({{{1, 0}, {2, 3}}, {{4.5, 0}, {1, 0}}}, parts(t))
        assert.is_true(tocha.tensor(t:tolist()) == t)
        t[{1, 1}] = tocha.complex(0, 7)
        t[{2, {}}] = 8
        assert.same({{{0, 7}, {2, 3}}, {{8, 0}, {8, 0}}}, parts(t))
        assert.is_true(t[{1, 2}] == tocha.complex(2, 3))
        assert.equal("complex128", tocha.tensor({1, 2}, {dtype = "complex128"}).dtype)
        assert.equal("complex64", tocha.ones(2):cfloat().dtype)
    end)

    it("does not lose its imaginary part silently", function()
        local z = tocha.tensor({tocha.complex(1, 2)})
        fails("to: complex64 does not become float32 by itself; take the part that is meant: :real%(%), :imag",
            function() z:to("float32") end)
        fails("copy_?: complex64 does not become float32", function() tocha.zeros(1):copy_(z) end)
        fails("index: .*complex64 does not become float32", function() local x = tocha.zeros(2); x[1] = z[1] end)
        fails("add_: the result is complex64 and does not fit into a float32 tensor",
            function() tocha.zeros(1):add_(z) end)
        fails("tensor: an entry is complex and does not fit into float32",
            function() tocha.tensor({z[1]}, {dtype = "float32"}) end)
        fails("fill: value is complex and does not fit into float32; take the part that is meant: :real%(%), :imag",
            function() tocha.zeros(1):fill_(z[1]) end)
        fails("add: alpha is complex and does not fit into float32",
            function() return tocha.ones(1):add(tocha.ones(1), {alpha = z[1]}) end)
        fails("full: fill_value is complex and does not fit into int64",
            function() return tocha.full({2}, z[1], {dtype = "int64"}) end)
        fails("full: fill_value is 1e%+300, which overflows complex64", function()
            local large = tocha.complex(tocha.tensor(0, {dtype = "float64"}), 1e300)
            return tocha.full({2}, large, {dtype = "complex64"})
        end)
        fails("clamp: input must be .*got complex64",
            function() return tocha.ones(1):clamp(z[1]) end)
        fails("threshold: threshold must be a number, got a tensor %(complex64 scalar%)",
            function() return tocha.ones(1):threshold(z[1], 0) end)
        assert.is_true(z:bool():item())
    end)

    it("goes where a number goes", function()
        local i = tocha.complex(0, 1)
        local z = tocha.zeros(2, {dtype = "complex128"}):fill_(tocha.complex(1, 2))
        assert.same({{1, 2}, {1, 2}}, parts(z))
        assert.same({{0, 3}, {0, 3}}, parts(z:add(z, {alpha = i}):mul(1):add(tocha.complex(1, 0))))
        assert.same({{0, 1}}, parts(tocha.full({1}, i)))
        assert.equal("complex64", tocha.full({1}, i).dtype)
        assert.equal("complex128", z:new_full({1}, i).dtype)
        assert.same({0, 1}, parts(tocha.scalar_tensor(i)))
        assert.same({{0, 0}, {0.5, 1}, {1, 2}}, parts(tocha.linspace(0, tocha.complex(1, 2), 3)))
    end)

    it("goes where a number goes, in gradients", function()
        local i = tocha.complex(0, 1)
        local x = tocha.complex(tocha.ones(2), 2):requires_grad_()
        tocha.zeros_like(x):add(x, {alpha = i}):imag():sum():backward()
        assert.same({{1, 0}, {1, 0}}, parts(x.grad))
    end)

    it("is drawn with both parts", function()
        tocha.manual_seed(3)
        for _, dtype in ipairs {"complex64", "complex128"} do
            local z = tocha.randn(100000, {dtype = dtype})
            local re, im = z:real():double(), z:imag():double()
            for _, part in ipairs {re, im} do
                assert.is_true(math.abs(part:mean():item()) < 0.01)
                assert.is_true(math.abs(part:square():mean():item() - 0.5) < 0.01)
            end
            assert.is_true(math.abs((re * im):mean():item()) < 0.01)
            local u = tocha.rand_like(z)
            assert.equal(dtype, u.dtype)
            for _, part in ipairs {u:real(), u:imag()} do
                assert.is_true(part:min():item() >= 0 and part:max():item() < 1)
                assert.is_true(math.abs(part:double():mean():item() - 0.5) < 0.01)
            end
            assert.same({{5, 5}}, parts(tocha.zeros(1, {dtype = dtype}):normal_(5, 0)))
            local mean = tocha.complex(tocha.tensor({7, 8}), 9):to(dtype)
            assert.is_true(tocha.normal(mean, 0) == mean)
        end
    end)

    it("is drawn the same on any number of threads, and never twice", function()
        local threads = tocha.get_num_threads()
        finally(function() tocha.set_num_threads(threads) end)
        local function draw(n)
            tocha.manual_seed(4)
            tocha.set_num_threads(n)
            local first = tocha.rand(30011, {dtype = "complex128"})
            return first, tocha.rand(30011, {dtype = "complex128"})
        end
        local first, second = draw(1)
        local again, further = draw(3)
        assert.is_true(first == again and second == further)
        local all = tocha.cat({tocha.view_as_real(first):view(-1), tocha.view_as_real(second):view(-1)})
        assert.equal(all:numel(), all:unique():numel())
    end)

    it("is dropped out whole", function()
        tocha.manual_seed(5)
        local z = tocha.complex(tocha.ones(1000), 2)
        for _, y in ipairs {z:dropout(0.5), tocha.dropout1d(z:view(1, 1000, 1), 0.5)} do
            local kept = y:real():reshape(-1):tolist()
            assert.same(kept, (y:imag():reshape(-1) / 2):tolist())
            for _, v in ipairs(kept) do
                assert.is_true(v == 0 or v == 2)
            end
        end
    end)

    it("has no order", function()
        local z = tocha.complex(1, 2)
        fails("<: complex numbers have no order; compare abs%(%) or real%(%)", function() return z < z end)
        fails("lt: input must be .*got complex64", function() return z:lt(z) end)
        for _, reduce in ipairs {"amax", "amin", "prod"} do
            fails('scatter_reduce: input must be real for reduce "' .. reduce .. '", got complex64', function()
                local x = tocha.zeros(2, {dtype = "complex64"})
                return x:scatter_reduce(1, tocha.tensor({1}), z:reshape(1), reduce, false)
            end)
        end
        fails("maximum: input must be", function() return z:maximum(1) end)
    end)
end)

describe("views of complex tensors", function()
    it("share memory with them", function()
        local z = tocha.tensor({tocha.complex(1, 2), tocha.complex(3, 4)})
        z:real():fill_(9)
        z:imag()[2] = -1
        assert.same({{9, 2}, {9, -1}}, parts(z))
        assert.same({{9, 2}, {9, -1}}, parts(z:conj():conj()))
    end)

    it("need pairs that stand side by side", function()
        local x = tocha.arange(8):float():view(2, 4)
        fails("view_as_complex: pairs along the last dim of input %(4x2%) do not stand side by side",
            function() tocha.view_as_complex(x:t()) end)
        fails("side by side", function() tocha.view_as_complex(x:view(-1):narrow(1, 2, 2)) end)
        assert.same({{3, 4}, {7, 8}}, parts(tocha.view_as_complex(x:narrow(2, 3, 2))))
    end)

    it("are not changed in place behind the graph's back", function()
        local z = tocha.complex(tocha.ones(2), 1):requires_grad_() * 1
        fails("mul_: a view as another dtype must not be changed in place", function() z:real():mul_(2) end)
        local re = z:real()
        z:mul_(2)
        fails("cannot be used after that tensor was changed in place", function() return re * 2 end)
        assert.same({2, 2}, z:real():tolist())
    end)
end)

describe("gradients of complex numbers", function()
    it("point where the result grows", function()
        local z = tocha.complex(3, -4):requires_grad_()
        z:abs():backward()
        local re, im = z.grad:item()
        assert.is_true(math.abs(re - 0.6) < 1e-6 and math.abs(im + 0.8) < 1e-6)
    end)

    it("are real for real tensors", function()
        local x = tocha.tensor({1.0, 2.0}, {requires_grad = true})
        local z = x * tocha.complex(1, 2)
        z:imag():sum():backward()
        assert.equal("float32", x.grad.dtype)
        assert.same({2, 2}, x.grad:tolist())
    end)

    it("want a real result", function()
        local z = tocha.complex(1, 2):requires_grad_() * 2
        fails("backward: the output is complex", function() z:backward() end)
    end)
end)

describe("convolutions of complex numbers", function()
    it("give tensors that may be changed in place, with gradients", function()
        local x = tocha.complex(tocha.ones(1, 4), 2):requires_grad_()
        local w = tocha.complex(tocha.ones(1, 1, 2), -1)
        local y = tocha.conv1d(x, w)
        assert.same({{{6, 2}, {6, 2}, {6, 2}}}, parts(y))
        y:mul_(2):real():sum():backward()
        assert.same({{{2, 2}, {4, 4}, {4, 4}, {2, 2}}}, parts(x.grad))
        fails("conv1d: input is complex64 and weight is float32", function()
            return tocha.conv1d(x, tocha.ones(1, 1, 2))
        end)
        fails("conv1d: input 1x4 has 1 channels, but weight", function()
            return tocha.conv1d(x, tocha.complex(tocha.ones(1, 3, 2), 0))
        end)
    end)
end)

describe("files", function()
    it("hold complex64, and say that they cannot hold complex128", function()
        local name = os.tmpname()
        finally(function() os.remove(name) end)
        local z = tocha.tensor({tocha.complex(1, 2), tocha.complex(-3, 0.5)})
        tocha.save(name, {z = z, x = tocha.ones(1, {dtype = "int8"})})
        assert.is_true(tocha.load(name).z == z)
        fails("save: .*'z' is complex128, which the format does not have; save :to%(\"complex64\"%)",
            function() tocha.save(name, {z = z:cdouble()}) end)
    end)
end)
