local tocha = require "tocha"

local function lines(...)
    return table.concat({...}, "\n")
end

local function check(expected, x)
    assert.equal(expected, tostring(x))
end

describe("tostring of a tensor", function()
    after_each(function()
        tocha.set_printoptions {}
    end)

    it("shows whole numbers without a point", function()
        check("tensor({1, 2, 3})", tocha.tensor({1.0, 2.0, 3.0}))
        check("tensor({1, 20, -3}, int64)", tocha.tensor({1, 20, -3}))
        check("tensor({0, -0})", tocha.tensor({0.0, -0.0}))
        check("tensor({255, 0}, uint8)", tocha.tensor({255, 0}, {dtype = "uint8"}))
    end)

    it("shows fractions with four digits", function()
        check("tensor({1.0000, 2.5000})", tocha.tensor({1.0, 2.5}))
        check("tensor({0.3333, 0.6667}, float64)", tocha.tensor({1 / 3, 2 / 3}, {dtype = "float64"}))
        check("tensor({1.5000}, float16)", tocha.tensor({1.5}, {dtype = "float16"}))
    end)

    it("shows 0-dim tensors without braces", function()
        check("tensor(3.1416)", tocha.tensor(3.14159))
        check("tensor(7, int64)", tocha.tensor(7))
        check("tensor(true, bool)", tocha.tensor(true))
        check("tensor(nan)", tocha.tensor(0 / 0))
    end)

    it("aligns the columns of matrices", function()
        check(lines("tensor({{ 1,  2},", "        { 3, 40}}, int64)"), tocha.tensor({{1, 2}, {3, 40}}))
        check(lines("tensor({{  1.5000,   2.0000},", "        {  3.0000, -40.0000}})"),
            tocha.tensor({{1.5, 2.0}, {3.0, -40.0}}))
        check(lines("tensor({{ true, false},", "        {false, false}}, bool)"),
            tocha.tensor({{true, false}, {false, false}}))
        check("tensor({{1, 20, 300}}, int64)", tocha.tensor({{1, 20, 300}}))
    end)

    it("parts matrices of a larger tensor by empty lines", function()
        check(lines("tensor({{{1, 2},", "         {3, 4}},", "", "        {{5, 6},", "         {7, 8}}}, int64)"),
            tocha.tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}))
    end)

    it("makes nan and inf visible", function()
        check("tensor({1.5000, nan, inf, -inf})", tocha.tensor({1.5, 0 / 0, 1 / 0, -1 / 0}))
        check("tensor({1, nan})", tocha.tensor({1.0, 0 / 0}))
        check("tensor({nan, inf})", tocha.tensor({0 / 0, 1 / 0}))
    end)

    it("takes scientific notation for all where the values ask for it", function()
        check("tensor({1.0000e+00, 1.0000e-05})", tocha.tensor({1.0, 1e-5}))
        check("tensor({1.5000e+00, 2.0000e+03})", tocha.tensor({1.5, 2000.0}))
        check("tensor({1.0000e+00, 3.0000e+08})", tocha.tensor({1.0, 3e8}))
        check("tensor({1, 100000000})", tocha.tensor({1.0, 1e8}))
        check("tensor({1, 9007199254740993}, int64)", tocha.tensor({1, 9007199254740993}))
        check("tensor({0.0000, 0.5000})", tocha.tensor({0.0, 0.5}))
    end)

    it("says the shape of what has no elements", function()
        check("tensor({}, shape 0)", tocha.tensor({}))
        check("tensor({}, int32, shape 3x0x2)", tocha.zeros(3, 0, 2, {dtype = "int32"}))
    end)

    it("says whether gradients are recorded", function()
        local x = tocha.tensor({1.0, 2.0}, {requires_grad = true})
        check("tensor({1, 2}, requires_grad)", x)
        check("tensor({2, 4}, grad_fn=<mul>)", x * 2)
        check("tensor({1, 2})", x:detach())
    end)

    it("breaks long vectors into lines", function()
        local text = tostring(tocha.arange(1, 40))
        local first, rest = text:match("^(.-)\n(.*)$")
        assert.equal(79, #first)
        assert.matches("^tensor%({ 1,  2,  3, .*, 18,$", first)
        assert.matches("^        19, 20, ", rest)
        assert.matches("\n        37, 38, 39, 40}, int64%)$", text)
    end)

    it("shows the edges of large tensors", function()
        check("tensor({1, 2, 3, ..., 1999, 2000, 2001}, int64, shape 2001)", tocha.arange(2001))
        check(lines(
            "tensor({{   1,    2,    3, ...,   98,   99,  100},",
            "        { 101,  102,  103, ...,  198,  199,  200},",
            "        { 201,  202,  203, ...,  298,  299,  300},",
            "        ...,",
            "        {4701, 4702, 4703, ..., 4798, 4799, 4800},",
            "        {4801, 4802, 4803, ..., 4898, 4899, 4900},",
            "        {4901, 4902, 4903, ..., 4998, 4999, 5000}}, int64, shape 50x100)"),
            tocha.arange(5000):view(50, 100))
        check(lines("tensor({{1, 1},", "        {1, 1},", "        {1, 1},", "        ...,", "        {1, 1},",
            "        {1, 1},", "        {1, 1}}, shape 600x2)"), tocha.ones(600, 2))
    end)

    it("is quick and short for huge tensors and many dims", function()
        local start = os.clock()
        assert.is_true(#tostring(tocha.ones(1):expand(100000, 100000, 1000)) < 10000)
        assert.is_true(#tostring(tocha.ones(1, 1, 1, 1, 1, 1, 1, 1):expand(9, 9, 9, 9, 9, 9, 9, 9)) < 1000000)
        assert.is_true(os.clock() - start < 0.5)
    end)

    it("shows views as they are", function()
        check(lines("tensor({{1, 4},", "        {2, 5},", "        {3, 6}}, int64)"),
            tocha.tensor({{1, 2, 3}, {4, 5, 6}}):t())
        check("tensor({2, 5}, int64)", tocha.tensor({{1, 2, 3}, {4, 5, 6}}):select(2, 2))
    end)

    it("records nothing and changes nothing", function()
        local x = tocha.ones(40, 40, {requires_grad = true})
        local y = x * 2
        assert.truthy(tostring(y))
        y:sum():backward()
        assert.equal(2, x.grad[1][1]:item())
    end)
end)

describe("set_printoptions", function()
    after_each(function()
        tocha.set_printoptions {}
    end)

    it("sets precision, notation, width and edges", function()
        tocha.set_printoptions {precision = 2}
        check("tensor({1.00, 2.50})", tocha.tensor({1.0, 2.5}))
        tocha.set_printoptions {sci_mode = true}
        check("tensor({1.0000e+00, 2.5000e+00})", tocha.tensor({1.0, 2.5}))
        tocha.set_printoptions {sci_mode = false}
        check("tensor({0.0000, 1.5000})", tocha.tensor({1e-7, 1.5}))
        tocha.set_printoptions {threshold = 5, edgeitems = 1}
        check("tensor({1, ..., 6}, int64, shape 6)", tocha.arange(6))
        tocha.set_printoptions {linewidth = 20}
        check(lines("tensor({1, 2, 3, 4,", "        5, 6},", "       int64)"), tocha.arange(6))
    end)

    it("returns what held before", function()
        tocha.set_printoptions {precision = 2}
        local before = tocha.set_printoptions {precision = 6}
        check("tensor({0.500000})", tocha.tensor({0.5}))
        tocha.set_printoptions(before)
        check("tensor({0.50})", tocha.tensor({0.5}))
    end)

    it("refuses what it does not know", function()
        assert.error_matches(function() tocha.set_printoptions {digits = 3} end,
            'set_printoptions: unknown option "digits"; known: precision, threshold, edgeitems, linewidth, sci_mode')
        assert.error_matches(function() tocha.set_printoptions {precision = "x"} end,
            'set_printoptions: precision must be a whole number from 0, got "x"')
    end)
end)
