--- Reads the signature of an operator's row: "Tensor input, dims? dim, bool keepdim = false -> values, indices".

local signature = {}

local function trim(text)
    return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

--- A default as its Lua value; a word that is no number, boolean or quoted string is an error.
local function default_value(text)
    local quoted = text:match("^['\"](.*)['\"]$")
    if quoted then
        return quoted
    elseif text == "true" or text == "false" then
        return text == "true"
    end
    return assert(tonumber(text), "unknown default: " .. text)
end

local function parse_parameter(text)
    local declared, default = text:match("^(.-)=(.*)$")
    local kind, marks, name = trim(declared or text):match("^(%a+)([?!]*)%s+([%w_]+)%.*$")
    assert(kind, "cannot read the parameter: " .. text)
    return {
        name = name,
        kind = kind,
        optional = default ~= nil or marks:find("?", 1, true) ~= nil,
        written = marks:find("!", 1, true) ~= nil,
        default = default and default_value(trim(default)),
    }
end

--- The parameters in order, each {name, kind, optional, written, default}; the list also has them by name.
function signature.parse(text)
    local parameters = {}
    local inputs = trim(text:match("^(.-)%->") or text)
    for part in inputs:gmatch("[^,]+") do
        local parameter = parse_parameter(trim(part))
        parameters[#parameters + 1] = parameter
        parameters[parameter.name] = parameter
    end
    return parameters
end

local tensor_kinds = {Tensor = true, Index = true, Mask = true, Tensors = true, Indices = true}

--- Whether a parameter takes a tensor or a list of tensors.
function signature.takes_tensors(parameter)
    return tensor_kinds[parameter.kind] == true
end

return signature
