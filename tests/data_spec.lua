local tocha = require "tocha"
local data = require "data"

local folder

local function write(name, bytes)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(bytes)
    file:close()
end

local function gzip(name)
    assert(os.execute("gzip -n -f " .. folder .. "/" .. name))
end

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
end)

teardown(function()
    os.execute("rm -rf " .. folder)
end)

--- An idx file of bytes.
local function idx_file(sizes, content)
    return string.pack(">I2BB", 0, 8, #sizes) .. string.pack(">" .. ("I4"):rep(#sizes), table.unpack(sizes)) .. content
end

local function write_test_split()
    os.execute("rm -f " .. folder .. "/t10k*")
    write("t10k-images-idx3-ubyte", idx_file({10000, 28, 28}, ("\0\255"):rep(10000 * 28 * 14)))
    write("t10k-labels-idx1-ubyte", idx_file({10000}, ("\0\1\2\3\4\5\6\7\8\9"):rep(1000)))
end

describe("TensorDataset", function()
    local x, y = tocha.arange(10):view(5, 2), tocha.arange(5)

    it("gives batches, ranges and samples", function()
        local set = data.TensorDataset(x, y)
        assert.equal(5, #set)
        assert.equal(5, set:size())
        local a, b = set:batch(tocha.tensor({5, 1}))
        assert.same({{9, 10}, {1, 2}}, a:tolist())
        assert.same({5, 1}, b:tolist())
        a, b = set:range(2, 3)
        assert.same({{3, 4}, {5, 6}}, a:tolist())
        assert.same({2, 3}, b:tolist())
        assert.same({{7, 8}}, set[4][1]:tolist())
        assert.is_nil(set[6])
        assert.is_nil(set[0])
        assert.equal("TensorDataset(5x2 int64, 5 int64)", tostring(set))
    end)

    it("transforms batches", function()
        local set = data.TensorDataset(x, y, {transform = function(a, b) return a * 10, b end})
        assert.same({{10, 20}}, (set:range(1, 1)):tolist())
        assert.same({{10, 20}}, (set:batch(tocha.tensor({1}))):tolist())
    end)

    it("refuses tensors of different length and other things", function()
        assert.matches("all tensors must have as many samples, got 5 and 4",
            message(data.TensorDataset, x, tocha.arange(4)))
        assert.matches("entry 1 must be a tensor", message(data.TensorDataset, 3))
        assert.matches("expected tensors, got none", message(data.TensorDataset))
        assert.matches('unknown option "transfrom"', message(data.TensorDataset, x, {transfrom = print}))
    end)
end)

describe("DataLoader", function()
    local set = data.TensorDataset(tocha.arange(7), tocha.arange(7) * 10)

    local function collect(loader)
        local all = {}
        for x, y in loader do
            assert.is_true((x * 10):equal(y))
            all[#all + 1] = x:tolist()
        end
        return all
    end

    it("runs through the data in order", function()
        local loader = data.DataLoader(set, {batch_size = 3})
        assert.equal(3, #loader)
        assert.same({{1, 2, 3}, {4, 5, 6}, {7}}, collect(loader))
        assert.same({{1, 2, 3}, {4, 5, 6}, {7}}, collect(loader))
        assert.equal(7, #data.DataLoader(set))
    end)

    it("drops a smaller last batch", function()
        local loader = data.DataLoader(set, {batch_size = 3, drop_last = true})
        assert.equal(2, #loader)
        assert.same({{1, 2, 3}, {4, 5, 6}}, collect(loader))
        assert.same({}, collect(data.DataLoader(set, {batch_size = 8, drop_last = true})))
    end)

    it("shuffles by the seed, anew in every pass", function()
        local loader = data.DataLoader(set, {batch_size = 7, shuffle = true})
        tocha.manual_seed(3)
        local first, second = collect(loader)[1], collect(loader)[1]
        tocha.manual_seed(3)
        assert.same(first, collect(loader)[1])
        assert.not_same(first, second)
        table.sort(first)
        assert.same({1, 2, 3, 4, 5, 6, 7}, first)
    end)

    it("starts anew after a break and keeps nested loops apart", function()
        local loader = data.DataLoader(set, {batch_size = 3})
        for x in loader do
            if x[1]:item() == 4 then
                break
            end
        end
        local seen = {}
        for x in loader do
            for z in loader do
                seen[#seen + 1] = x[1]:item() * 10 + z[1]:item()
            end
        end
        assert.same({11, 14, 17, 41, 44, 47, 71, 74, 77}, seen)
        local batches = loader:batches()
        assert.same({1, 2, 3}, (batches()):tolist())
        assert.same({4, 5, 6}, (batches()):tolist())
        assert.same({7}, (batches()):tolist())
        assert.is_nil(batches())
    end)

    it("takes any dataset with size and batch", function()
        local own = {
            size = function() return 3 end,
            batch = function(_, index) return index * 2 end,
        }
        local seen = {}
        for x in data.DataLoader(own, {batch_size = 2}) do
            seen[#seen + 1] = x:tolist()
        end
        assert.same({{2, 4}, {6}}, seen)
    end)

    it("refuses bad options", function()
        assert.matches("batch_size must be a whole number from 1, got 0",
            message(data.DataLoader, set, {batch_size = 0}))
        assert.matches('unknown option "shufle"', message(data.DataLoader, set, {shufle = true}))
        assert.matches("dataset must have the methods size and batch, got a table", message(data.DataLoader, {}))
    end)
end)

describe("digits", function()
    it("come with Tocha, split into four fifths and one", function()
        local train, test = data.digits(), data.digits {split = "test"}
        local all = data.digits {split = "all"}
        assert.equal(1438, #train)
        assert.equal(359, #test)
        assert.equal(1797, #all)
        local x, y = all:range(1, 1797)
        assert.equal("1797x1x8x8", tostring(x.shape))
        assert.equal("float32", x.dtype)
        assert.equal("int64", y.dtype)
        assert.equal(-1, x:min():item())
        assert.equal(1, x:max():item())
        local counts = {}
        for digit = 1, 10 do
            counts[digit] = y:eq(digit):sum():item()
        end
        assert.same({178, 182, 177, 183, 181, 182, 181, 179, 174, 180}, counts)
        local fifth = test[1]
        assert.is_true(fifth[1]:equal(all[5][1]))
        assert.is_true(fifth[2]:equal(all[5][2]))
    end)

    it("refuse an unknown split", function()
        assert.matches('split must be train, test or all, got "tset"', message(data.digits, {split = "tset"}))
    end)
end)

describe("mnist", function()
    it("reads plain and gzipped files", function()
        write_test_split()
        for _ = 1, 2 do
            local set = data.mnist {dir = folder, split = "test"}
            assert.equal(10000, #set)
            local x, y = set:range(1, 3)
            assert.equal("3x1x28x28", tostring(x.shape))
            assert.equal("float32", x.dtype)
            assert.is_true(math.abs(x[1][1][1][1]:item() + 33.32 / 78.57) < 1e-5)
            assert.is_true(math.abs(x[1][1][1][2]:item() - (255 - 33.32) / 78.57) < 1e-5)
            assert.same({1, 2, 3}, y:tolist())
            os.execute("gzip -f " .. folder .. "/t10k*")
        end
    end)

    it("looks into the folder mnist of dir too", function()
        write_test_split()
        os.execute(("mkdir -p %s/outer/mnist && mv %s/t10k* %s/outer/mnist"):format(folder, folder, folder))
        assert.equal(10000, #data.mnist {dir = folder .. "/outer", split = "test"})
    end)

    it("says what is missing and what to download", function()
        local text = message(data.mnist, {dir = folder .. "/none"})
        assert.matches("mnist: train%-images%-idx3%-ubyte%.gz was not found in .*/none", text)
        assert.matches("download the four files .*t10k%-labels%-idx1%-ubyte%.gz from https://", text)
        assert.is_nil(text:find("\n"))
    end)

    local images, labels = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
    local cases = {
        {"an empty file", images, "", "cut off: the header has 0 bytes, expected 16"},
        {"a cut header", images, "\0\0\8\3\0\0", "cut off: the header has 6 bytes"},
        {"another format", images, ("x"):rep(16), "not an idx file of bytes in 3 dims: it starts with 78 78 78 78"},
        {"labels in place of images", images, idx_file({10000}, ("\0"):rep(10000)),
            "not an idx file of bytes in 3 dims"},
        {"cut content", images, idx_file({10000, 28, 28}, ("\0"):rep(10000 * 784 - 1)),
            "cut off: 7839999 of 7840000 values are there"},
        {"content left over", labels, idx_file({10000}, ("\0"):rep(10001)), "longer than its header says"},
        {"a count that is too large", images, idx_file({4294967295, 28, 28}, ""),
            "cut off: too small for 4294967295x28x28"},
        {"sizes whose product overflows", images, idx_file({4294967295, 4294967295, 4294967295}, ""), "too small"},
        {"images of another size", images, idx_file({1, 8, 8}, ("\0"):rep(64)), "images of 8x8 pixels, expected 28x28"},
        {"too few images", images, idx_file({1, 28, 28}, ("\0"):rep(784)), "1 images, expected 10000"},
        {"too few labels", labels, idx_file({9999}, ("\0"):rep(9999)), "9999 labels for 10000 images"},
        {"a label of 10", labels, idx_file({10000}, ("\10"):rep(10000)), "a label is 10, expected 0 to 9"},
        {"a gzip stream that is none", images .. ".gz", "\31\139garbage that is no stream", "corrupt gzip stream"},
    }
    for _, case in ipairs(cases) do
        it("refuses " .. case[1], function()
            write_test_split()
            os.remove(folder .. "/" .. case[2]:gsub("%.gz$", ""))
            write(case[2], case[3])
            local text = message(data.mnist, {dir = folder, split = "test"})
            assert.truthy(text:find("mnist: " .. folder .. "/" .. case[2] .. ": ", 1, true), text)
            assert.matches(case[4], text)
            assert.is_nil(text:find("\n"))
        end)
    end

    it("refuses a gzip stream that is cut off or damaged", function()
        write_test_split()
        gzip(images)
        local file = assert(io.open(folder .. "/" .. images .. ".gz", "rb"))
        local bytes = file:read("a")
        file:close()
        for _, n in ipairs {#bytes - 1, #bytes - 8, #bytes // 2, 20} do
            write(images .. ".gz", bytes:sub(1, n))
            assert.matches("cut off", message(data.mnist, {dir = folder, split = "test"}))
        end
        local damaged = bytes:sub(1, -8) .. string.char((bytes:byte(-7) + 1) % 256) .. bytes:sub(-6)
        write(images .. ".gz", damaged)
        assert.matches("corrupt gzip stream", message(data.mnist, {dir = folder, split = "test"}))
    end)

    it("refuses a folder in place of a file and an unknown split", function()
        write_test_split()
        os.execute(("rm %s/%s && mkdir %s/%s"):format(folder, labels, folder, labels))
        assert.matches("is a directory", message(data.mnist, {dir = folder, split = "test"}))
        os.execute(("rmdir %s/%s"):format(folder, labels))
        assert.matches('split must be train or test, got "valid"', message(data.mnist, {dir = folder, split = "valid"}))
    end)
end)
