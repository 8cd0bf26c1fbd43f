--- Graphs as text.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local function value_text(value)
    return (tostring(value):gsub("%s*\n%s*", " "))
end

--- "mul 2x3 at train.lua:12", and the value where it is asked for and known.
local function node_label(info, with_values)
    local shapes = {}
    for i, out in ipairs(info.outputs) do
        shapes[i] = out.shape .. (out.dtype ~= "float32" and " " .. out.dtype or "")
    end
    local text = ("%s %s"):format(info.name, table.concat(shapes, ", "))
    if info.where then
        text = text .. " at " .. info.where
    end
    if with_values and info.value then
        text = text .. " = " .. value_text(info.value)
    end
    return text
end

--- What core tells about a node, with the value of its first output, if some node has saved it.
local function look_up(node, values)
    local info = core._node_info(node)
    local variable = node.variable
    info.value = variable and variable:detach() or info.outputs[1].value or values[info.id]
    return info
end

--- Notes the values that a node has saved of its inputs under the ids of the nodes that made them.
local function note_values(info, values)
    for _, input in ipairs(info.inputs) do
        if input.node and input.value and input.output == 1 then
            local id = core._node_info(input.node).id
            values[id] = values[id] or input.value
        end
    end
end

--- The lines of the tree; a node that was shown before is named by its number. No recursion: graphs may be deep.
local function tree(root, with_values)
    local lines, numbers, values = {}, {}, {}
    local stack = {{node = root, first = "", rest = "", label = ""}}
    while #stack > 0 do
        local item = table.remove(stack)
        local info = item.node and look_up(item.node, values)
        if not info then
            lines[#lines + 1] = item.first .. item.label
        elseif numbers[info.id] then
            lines[#lines + 1] = ("%s%s%s (see %d)"):format(item.first, item.label, info.name, numbers[info.id])
        else
            note_values(info, values)
            numbers[info.id] = #lines + 1
            lines[#lines + 1] = item.first .. item.label .. node_label(info, with_values)
            for i = #info.inputs, 1, -1 do
                local input = info.inputs[i]
                local last = i == #info.inputs
                local label = input.name .. ": "
                if not input.node then
                    label = ("%sconstant %s"):format(label, input.shape)
                    label = label .. (with_values and input.value and " = " .. value_text(input.value) or "")
                end
                stack[#stack + 1] = {
                    node = input.node,
                    label = label,
                    first = item.rest .. (last and "`- " or "|- "),
                    rest = item.rest .. (last and "   " or "|  "),
                }
            end
        end
    end
    return table.concat(lines, "\n")
end

local function quoted(text)
    return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

--- The graph for Graphviz, edges from inputs to results.
local function dot(root, with_values)
    local lines, seen, values, list = {"digraph {", "  node [shape = box]"}, {}, {}, {root}
    while #list > 0 do
        local info = look_up(table.remove(list), values)
        if not seen[info.id] then
            seen[info.id] = true
            note_values(info, values)
            lines[#lines + 1] = ("  n%d [label = %s%s]"):format(info.id, quoted(node_label(info, with_values)),
                info.leaf and ", style = rounded" or "")
            for _, input in ipairs(info.inputs) do
                if input.node then
                    list[#list + 1] = input.node
                    lines[#lines + 1] = ("  n%d -> n%d [label = %s]"):format(core._node_info(input.node).id, info.id,
                        quoted(input.name))
                end
            end
        end
    end
    lines[#lines + 1] = "}"
    return table.concat(lines, "\n")
end

local spec = {
    {"values", "boolean", false},
    {"dot", "boolean", false},
}

--- The graph behind a tensor as a text: a tree of operators with their inputs by name, the shapes of their results and
--- the lines that recorded them; a part that several use is shown once, and then named by its line. Options: values =
--- true adds the values of leaves and those that were saved for backward; dot = true gives the graph in the language
--- of Graphviz.
--- > x = tocha.ones(2, {requires_grad = true})
--- > return (tocha.autograd.graph(x:sum()):gsub(" at [^\n]*", ""))
--- sum scalar
--- `- input: leaf 2
local function graph(x, ...)
    if not core.is_tensor(x) then
        raise("graph: expected a tensor, got %s", options.describe(x))
    end
    local o = options.read("graph", spec, ...)
    local root = core._node(x)
    if not root then
        raise("graph: the tensor does not require grad: there is no graph behind it")
    end
    return (o.dot and dot or tree)(root, o.values)
end

return graph
