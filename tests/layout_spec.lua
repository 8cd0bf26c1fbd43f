--- Shapes, views and conversions that no row of the operator table covers by itself.

local tocha = require "tocha"
local expect = require "tests.support.expect"

local function refuses(pattern, f, ...)
    assert.matches(pattern, expect.message(f, ...))
end

local function shapes(list)
    local texts = {}
    for i, t in ipairs(list) do
        texts[i] = tostring(t.shape)
    end
    return table.concat(texts, " ")
end

describe("in-place view", function()
    it("changes the tensor's own geometry and keeps its memory", function()
        local x = tocha.arange(6):view(2, 3)
        local same = x
        local pointer = x:data_ptr()
        assert.are.equal(x, x:t_())
        assert.are.equal("3x2", tostring(same.shape))
        assert.are.equal(pointer, x:data_ptr())
        assert.are.equal("3x1x2", tostring(x:unsqueeze_(2).shape))
        assert.are.equal("2x1x3", tostring(x:transpose_(1, 3).shape))
        assert.are.equal("2x3", tostring(x:squeeze_().shape))
        assert.are.equal("3x2", tostring(x:swapdims_(1, 2).shape))
        assert.are.equal("2x3", tostring(x:swapaxes_(1, -1).shape))
        expect.values({1, 6}, x:as_strided_({2}, {5}))
    end)

    it("lets gradients flow, and refuses leaves while recording", function()
        local x = tocha.ones(2, 3):requires_grad_()
        local y = x * 2
        y:t_()
        y:mul_(tocha.tensor({{1, 2}, {3, 4}, {5, 6}}))
        y:sum():backward()
        expect.values({{2, 6, 10}, {4, 8, 12}}, x.grad)
        refuses("^t_: a leaf that requires grad must not be changed in place", x.t_, x)
        tocha.no_grad(function() x:t_() end)
        assert.are.equal("3x2", tostring(x.shape))
    end)

    it("writes through to what it still views", function()
        local x = tocha.zeros(2, 3)
        local row = x[2]
        row:unsqueeze_(1):fill_(7)
        expect.values({{0, 0, 0}, {7, 7, 7}}, x)
    end)
end)

describe("resize_", function()
    it("keeps memory that is enough", function()
        local x = tocha.arange(6)
        local pointer = x:data_ptr()
        expect.values({{1, 2}, {3, 4}}, x:resize_(2, 2))
        assert.are.equal(pointer, x:data_ptr())
        assert.are.equal("0x5", tostring(x:resize_ {0, 5}.shape))
    end)

    it("takes new memory for more, and leaves old views alone", function()
        local x = tocha.arange(4):view(2, 2):t()
        local view = x[1]
        expect.values({1, 3, 2, 4}, x:resize_(9):slice(1, 1, 4))
        x:fill_(0)
        expect.values({1, 3}, view)
        assert.are.equal("2x3", tostring(x:resize_as_(tocha.zeros(2, 3)).shape))
    end)

    it("refuses what it cannot do", function()
        refuses("^resize_: a tensor that requires grad", function() tocha.ones(2):requires_grad_():resize_(3) end)
        refuses("^resize_: a shape must be a list of sizes, got %-3 in it", function() tocha.ones(2):resize_(-3) end)
        refuses("^resize_: .*at most 2^60", function() tocha.ones(2):resize_(1 << 40, 1 << 40) end)
    end)
end)

describe("view as another dtype", function()
    it("shares bits both ways", function()
        local x = tocha.tensor {1., -2.}
        local bits = x:view "int32"
        expect.values({1065353216, -1073741824}, bits, "int32")
        bits[1] = 0x40400000
        expect.values({3, -2}, x)
        expect.values({0, 0, 64, 64, 0, 0, 0, 192}, x:view "uint8")
        assert.are.equal("2x4", tostring(tocha.zeros(2, 2):view("int16").shape))
        assert.are.equal("2x1", tostring(tocha.zeros(2, 2):view("float64").shape))
    end)

    it("follows offsets and strides", function()
        local x = tocha.arange(12, {dtype = "int32"}):view(3, 4)
        expect.values({{5 + (6 << 32)}, {9 + (10 << 32)}}, x[{{2, 3}, {1, 2}}]:view "int64")
        refuses("strides and offset must hold whole elements", function() x[{{}, {2, 3}}]:view "int64" end)
        refuses("need a last dim of stride 1", function() x:t():view "int64" end)
    end)

    it("takes no gradient and writes none that the graph would miss", function()
        local x = tocha.ones(2):requires_grad_()
        refuses("view: is not differentiable", function() (x * 2):view("float16"):sum():backward() end)
        refuses("fill_: a view as another dtype", function() (x * 2):view("int32"):fill_(0) end)
        local plain = tocha.zeros(2)
        local leaf = tocha.ones(4, {requires_grad = true})
        refuses("copy_: a view as another dtype", function() plain:view("float16"):copy_(leaf) end)
    end)
end)

describe("pieces", function()
    it("are cut along dims of their own", function()
        assert.are.equal("2x2 2x2", shapes(tocha.zeros(2, 4):hsplit(2)))
        assert.are.equal("2 2", shapes(tocha.zeros(4):hsplit(2)))
        assert.are.equal("2x4 2x4", shapes(tocha.zeros(4, 4):vsplit {2}))
        assert.are.equal("1x1x1 1x1x3", shapes(tocha.zeros(1, 1, 4):dsplit {1}))
        refuses("^hsplit: 3 pieces do not come out even in dim 2 of size 4", tocha.hsplit, tocha.zeros(2, 4), 3)
        refuses("^vsplit: input must have at least 2 dims", tocha.vsplit, tocha.zeros(2), 1)
        refuses("^dsplit: input must have at least 3 dims", tocha.dsplit, tocha.zeros(2, 2), 1)
    end)

    it("nonzero gives a list of vectors as_tuple", function()
        local x = tocha.tensor {{0, 1}, {2, 0}}
        local at = x:nonzero {as_tuple = true}
        assert.are.equal(2, #at)
        expect.values({1, 2}, x[at])
        expect.values({1}, tocha.tensor(5):nonzero {as_tuple = true}[1])
        expect.values({{1, 2}, {2, 1}}, x:argwhere())
    end)
end)

describe("grids", function()
    it("meshgrid spans a grid by rows or by columns", function()
        local x, y = tocha.tensor {1, 2, 3}, tocha.tensor {4, 5}
        local ij = tocha.meshgrid {x, y}
        expect.values({{1, 1}, {2, 2}, {3, 3}}, ij[1])
        expect.values({{4, 5}, {4, 5}, {4, 5}}, ij[2])
        local xy = tocha.meshgrid(x, y, {indexing = "xy"})
        expect.values({{1, 2, 3}, {1, 2, 3}}, xy[1])
        expect.values({{4, 4, 4}, {5, 5, 5}}, xy[2])
        assert.are.equal("1x3", tostring(tocha.meshgrid(tocha.tensor(1), x)[2].shape))
        refuses("meshgrid: indexing must be", tocha.meshgrid, x, {indexing = "ji"})
        refuses("meshgrid: tensors must be vectors", tocha.meshgrid, tocha.zeros(2, 2))
        refuses("meshgrid: tensors must have one dtype", tocha.meshgrid, x, tocha.zeros(2))
        refuses("meshgrid: tensors must hold at least one", tocha.meshgrid, {})
    end)

    it("broadcasting gives shapes and views", function()
        assert.are.equal("2x3x4", tostring(tocha.broadcast_shapes({3, 1}, {2, 1, 4})))
        assert.are.equal("0", tostring(tocha.broadcast_shapes({0}, 1)))
        assert.are.equal("2x3 2x3", shapes(tocha.broadcast_tensors(tocha.zeros(3), tocha.zeros(2, 1))))
        refuses("broadcast_shapes: shape number 2, 2, does not broadcast", tocha.broadcast_shapes, {3}, {2})
        refuses("broadcast_shapes: a shape must be a list of sizes, got %-3 in it", tocha.broadcast_shapes, {-3})
    end)

    it("unravel_index takes positions apart", function()
        local rows, columns = table.unpack(tocha.unravel_index(tocha.tensor {1, 4, 6}, {2, 3}))
        expect.values({1, 2, 2}, rows)
        expect.values({1, 1, 3}, columns)
        refuses("unravel_index: indices must be in %[1, 6%], got 0 at position 2", tocha.unravel_index,
            tocha.tensor {1, 0}, {2, 3})
        refuses("unravel_index: indices must be an integer tensor", tocha.unravel_index, tocha.zeros(2), {2})
    end)
end)

describe("properties and conversions", function()
    it("tell sizes, places and kinds", function()
        local x = tocha.zeros(2, 3, {dtype = "int16"})
        assert.are.equal(12, x.nbytes)
        assert.are.equal(2, x.itemsize)
        assert.are.equal(2, x:ndimension())
        assert.is_true(x.is_cpu)
        assert.is_false(x.is_cuda)
        assert.are.equal(-1, x:get_device())
        assert.is_true(x:is_signed())
        assert.is_false(x:byte():is_signed())
        assert.are.same({2, 1}, x:t():dim_order())
        assert.is_true(x:is_same_size(tocha.ones(2, 3)))
        assert.is_true(tocha.is_nonzero(tocha.tensor(2)))
        assert.is_false(tocha.tensor(false):is_nonzero())
        assert.are.equal("int16", x:type())
        assert.are.equal("int8", x:type("int8").dtype)
        assert.are.equal("5x3x2", tostring(tocha.zeros(5, 2, 3).mT.shape))
        assert.are.equal("3x2", tostring(x.H.shape))
        refuses("^H: only a matrix has it", function() return tocha.zeros(2).H end)
    end)

    it("show the elements without the graph", function()
        local x = tocha.ones(2):requires_grad_()
        x.data:fill_(3)
        expect.values({3, 3}, x:detach())
        assert.is_false(x.data.requires_grad)
    end)

    it("make tensors like others", function()
        local x = tocha.ones(2, {dtype = "float64"})
        assert.are.equal("float64", x:new_tensor({1, 2}).dtype)
        assert.are.equal("int8", x:new_tensor({1, 2}, {dtype = "int8"}).dtype)
        assert.is_true(rawequal(x, tocha.as_tensor(x)))
        assert.are.equal("float32", tocha.as_tensor(x, {dtype = "float32"}).dtype)
        expect.values({1, 2}, tocha.asarray {1, 2}, "int64")
    end)

    it("put what a Lua function gives into a tensor", function()
        local x = tocha.arange(4):view(2, 2):t()
        expect.values({{1, 9}, {4, 16}}, x:apply_(function(v) return v * v end))
        expect.values({{2, 11}, {5, 18}}, x:map_(tocha.tensor {1, 2}, function(a, b) return a + b end))
        expect.values({{0, 0}, {0, 0}}, x:zero_())
        refuses("^apply_: callable must be a function", x.apply_, x, 3)
        refuses("^apply_: callable gave nil for element 1", x.apply_, x, function() end)
        refuses("^map_: tensor must be a tensor", x.map_, x, 3, print)
        refuses("^apply_: no gradient flows", function() tocha.ones(1):requires_grad_():apply_(print) end)
    end)

    it("copy what views show", function()
        local x = tocha.zeros(2, 3)
        for _, copy in ipairs {tocha.t_copy(x), tocha.view_copy(x, 6), tocha.select_copy(x, 1, 1),
            tocha.unbind_copy(x)[1], tocha.split_copy(x, 1)[2], tocha.alias_copy(x), tocha.detach_copy(x)} do
            copy:fill_(1)
        end
        expect.values({{0, 0, 0}, {0, 0, 0}}, x)
    end)
end)
