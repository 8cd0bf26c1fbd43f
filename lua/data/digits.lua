--- The UCI handwritten digits, 1,797 images of 8x8 pixels, which come with Tocha (see digits/README.md).

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"
local TensorDataset = require "data.dataset"

local digits = {}

local COUNT, PIXELS, TEST_EVERY = 1797, 64, 5

local folder = debug.getinfo(1, "S").source:sub(2):match("^(.*)[/\\][^/\\]*$")

--- All records, (1797, 65) of uint8.
local function read()
    local path = folder .. "/digits/digits.bin.gz"
    local file, why = core._open(path)
    local records, rest
    if file then
        records, why = file:read_tensor(COUNT, PIXELS + 1)
        if records then
            rest, why = file:read(1)
        end
        file:close()
    end
    if not rest or #rest > 0 then
        raise("digits: %s: %s", path, why or "longer than expected")
    end
    return records
end

--- Positions of a split: every fifth image, in the original order, is for testing.
local function positions(split)
    local list = {}
    for i = 1, COUNT do
        if (i % TEST_EVERY == 0) == (split == "test") then
            list[#list + 1] = i
        end
    end
    return core.tensor(list)
end

local spec = {{"split", "string", "train"}}

--- Handwritten digits (Alpaydin and Kaynak, UCI, 1998): digits{split = "train"} (1,438 images), "test" (359, every
--- fifth) or "all". Batches are x (n, 1, 8, 8) of float32 from -1 (empty) to 1 (full), and labels y (n) of int64 from
--- 1 to 10: the digit plus 1.
function digits.load(...)
    local split = options.read("digits", spec, ...).split
    if split ~= "train" and split ~= "test" and split ~= "all" then
        raise("digits: split must be train, test or all, got %s", options.describe(split))
    end
    local records = read()
    if split ~= "all" then
        records = records:index_select(1, positions(split))
    end
    local images = records:narrow(2, 1, PIXELS):to("float32") / 8 - 1
    local labels = records:select(2, PIXELS + 1):to("int64") + 1
    return TensorDataset(images:reshape(-1, 1, 8, 8), labels)
end

return digits
