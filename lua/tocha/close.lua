--- Comparisons that answer with true or false rather than with a tensor.

local core = require "tocha.core"
local raise = require "tocha.raise"

local close = {}

--- Whether all elements of input and other are close, as isclose has it: |input - other| <= atol + rtol * |other|.
--- input, other: tensors that broadcast; rtol: 1e-5, atol: 1e-8 and equal_nan: false unless given, by position or by
--- name; returns true or false.
function close.allclose(...)
    local ok, result = pcall(core.isclose, ...)
    if not ok then
        raise("all%s", tostring(result):match("isclose: .*$"):gsub("^is", ""))
    end
    return result:all():item()
end

return close
