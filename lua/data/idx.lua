--- Files in the idx format of the MNIST database, gzipped or not.

local core = require "tocha.core"

local idx = {}

local UINT8 = 8

--- Reads the header: the sizes, or nil and what is wrong.
local function read_header(file, dims)
    local bytes, why = file:read(4 + 4 * dims)
    if not bytes then
        return nil, why
    elseif #bytes < 4 + 4 * dims then
        return nil, ("cut off: the header has %d bytes, expected %d"):format(#bytes, 4 + 4 * dims)
    end
    local zero, dtype, found = string.unpack(">I2 B B", bytes)
    if zero ~= 0 or dtype ~= UINT8 or found ~= dims then
        return nil, ("not an idx file of bytes in %d dims: it starts with %02x %02x %02x %02x, expected 00 00 08 %02x")
            :format(dims, bytes:byte(1), bytes:byte(2), bytes:byte(3), bytes:byte(4), dims)
    end
    local sizes = {string.unpack(">" .. ("I4"):rep(dims), bytes, 5)}
    sizes[dims + 1] = nil
    return sizes
end

local function read_all(file, dims)
    local sizes, why = read_header(file, dims)
    if not sizes then
        return nil, why
    end
    local tensor
    tensor, why = file:read_tensor(table.unpack(sizes))
    if not tensor then
        return nil, why
    end
    local rest
    rest, why = file:read(1)
    if not rest then
        return nil, why
    elseif #rest > 0 then
        return nil, "longer than its header says"
    end
    return tensor
end

--- The uint8 tensor that an idx file of that many dims holds; or nil and one sentence on what is wrong.
function idx.read(path, dims)
    local file, why = core._open(path)
    if not file then
        return nil, ("%s: %s"):format(path, why)
    end
    local tensor
    tensor, why = read_all(file, dims)
    file:close()
    if not tensor then
        return nil, ("%s: %s"):format(path, why)
    end
    return tensor
end

return idx
