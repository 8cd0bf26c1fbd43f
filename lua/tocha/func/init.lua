--- tocha.func: functions made of functions, that give their derivatives or map them over samples. They compose.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"
local tree = require "tocha.func.tree"
local vmap = require "tocha.func.vmap"

local describe = options.describe

local func = {vmap = vmap}

local function check_function(who, f)
    if type(f) ~= "function" and not (type(f) == "table" and (getmetatable(f) or {}).__call) then
        raise("%s: expected a function, got %s", who, describe(f))
    end
end

--- argnums, a position or a list of them, and whether it was one.
local function read_positions(who, argnums)
    local single = type(argnums) ~= "table"
    local list = single and {argnums} or argnums
    for _, i in ipairs(list) do
        if math.type(i) ~= "integer" or i < 1 then
            raise("%s: argnums must be a position from 1 or a list of them, got %s", who, describe(i))
        end
    end
    if #list == 0 then
        raise("%s: argnums is an empty list", who)
    end
    return list, single
end

--- The arguments at positions made ready to be differentiated by: the arguments, the tensors among those, and for each
--- position a function that puts values in their places.
local function start(who, args, n, positions)
    local own, leaves, rebuild = table.move(args, 1, n, 1, {}), {}, {}
    for k, i in ipairs(positions) do
        if i > n then
            raise("%s: argnums names argument %d of %d", who, i, n)
        end
        local before = #leaves
        own[i] = tree.map(function(t, path)
            if not t:is_floating_point() and not t:is_complex() then
                raise("%s: argument %d%s is %s: only floating-point and complex tensors have gradients", who, i, path,
                    t.dtype)
            end
            local x = core._start(t)
            leaves[#leaves + 1] = x
            return x
        end, own[i])
        if #leaves == before then
            raise("%s: argument %d holds no tensor, it is %s", who, i, describe(args[i]))
        end
        local count = #leaves - before
        rebuild[k] = function(values)
            local _, put = tree.flatten(args[i])
            return put(table.move(values, before + 1, before + count, 1, {}))
        end
    end
    return own, leaves, rebuild
end

--- Values for each of the positions, one or a list.
local function by_position(rebuild, values, single)
    local list = {}
    for k, put in ipairs(rebuild) do
        list[k] = put(values)
    end
    return single and list[1] or list
end

local function run_recorded(f, own, n)
    return table.pack(core.enable_grad(f, table.unpack(own, 1, n)))
end

--- What does not depend on anything outside is taken out of the graph of the transform itself.
local function released(value, keep)
    return keep and value or tree.map(function(t) return t:detach() end, value)
end

local grad_spec = {{"argnums", "any", 1}, {"has_aux", "boolean", false}}

local function read_grad_options(who, ...)
    local first = ...
    if type(first) == "table" and #first > 0 then
        return {argnums = first, has_aux = select(2, ...) or false}
    end
    return options.read(who, grad_spec, ...)
end

--- The value of f (and what else it gives), its gradients by position.
local function differentiate(who, f, o, args, n)
    local positions, single = read_positions(who, o.argnums)
    local recording = core.is_grad_enabled()
    local own, leaves, rebuild = start(who, args, n, positions)
    local results = run_recorded(f, own, n)
    local value = results[1]
    if not core.is_tensor(value) or value:numel() ~= 1 then
        raise("%s: the function must give a tensor of one element, got %s; reduce it first, as in sum()", who,
            describe(value))
    end
    local more = recording and value.requires_grad and core._others({value}, leaves)
    local grads
    if value.requires_grad then
        grads = core.grad({value}, leaves, {
            grad_outputs = {core.ones_like(value)}, create_graph = more, materialize_grads = true,
        })
    else
        grads = {}
        for k, x in ipairs(leaves) do
            grads[k] = core.zeros_like(x)
        end
    end
    return released(value, more), by_position(rebuild, grads, single), released(results[2], more), o.has_aux
end

--- A function that gives the gradient of f, whose (first) result has one element, by the argument at position argnums
--- (1), or a list of gradients for a list of positions. An argument may be a table of tensors, such as a module's
--- parameters by name: so is its gradient. has_aux = true: f's second result is given behind the gradient.
--- > tocha.func.grad(function(x) return x ^ 3 end)(tocha.tensor(2.))
--- tensor(12)
function func.grad(f, ...)
    check_function("grad", f)
    local o = read_grad_options("grad", ...)
    return function(...)
        local _, grads, aux = differentiate("grad", f, o, {...}, select("#", ...))
        if o.has_aux then
            return grads, aux
        end
        return grads
    end
end

--- As grad; the function gives f's value first, then the gradient, then with has_aux f's second result.
--- > tocha.func.value_and_grad(function(x) return x ^ 3 end)(tocha.tensor(2.))
--- tensor(8)
--- tensor(12)
function func.value_and_grad(f, ...)
    check_function("value_and_grad", f)
    local o = read_grad_options("value_and_grad", ...)
    return function(...)
        local value, grads, aux = differentiate("value_and_grad", f, o, {...}, select("#", ...))
        if o.has_aux then
            return value, grads, aux
        end
        return value, grads
    end
end

--- The floating-point tensors of results, in order; all results must be tensors or tables of them.
local function float_leaves(who, results)
    local list = {}
    for i = 1, results.n do
        if not core.is_tensor(results[i]) and type(results[i]) ~= "table" then
            raise("%s: the function must give tensors, or tables of them; result %d is %s", who, i,
                describe(results[i]))
        end
        tree.map(function(y)
            if y:is_floating_point() or y:is_complex() then
                list[#list + 1] = y
            end
        end, results[i])
    end
    return list
end

local function zeros_for(leaves)
    local zeros = {}
    for k, x in ipairs(leaves) do
        zeros[k] = core.zeros_like(x)
    end
    return zeros
end

--- Those of outputs that are in the graph, with their entries of weights.
local function in_graph(outputs, weights)
    local list, chosen = {}, {}
    for k, y in ipairs(outputs) do
        if y and y.requires_grad then
            list[#list + 1] = y
            chosen[#chosen + 1] = weights[k]
        end
    end
    return list, chosen
end

--- Weights, one tensor or tree for each result, as a flat list like outputs; raises an error for wrong shapes.
local function match(who, what, values, outputs)
    local flat = tree.flatten(values)
    if #flat ~= #outputs then
        raise("%s: expected %d %s, got %d", who, #outputs, what, #flat)
    end
    for k, y in ipairs(outputs) do
        if tostring(flat[k].shape) ~= tostring(y.shape) then
            raise("%s: %s %d has shape %s, expected %s", who, what, k, tostring(flat[k].shape), tostring(y.shape))
        end
    end
    return flat
end

local function any_requires_grad(list)
    for _, t in ipairs(list) do
        if t.requires_grad then
            return true
        end
    end
    return false
end

--- All primals, by position.
local function all_positions(n)
    local positions = {}
    for i = 1, n do
        positions[i] = i
    end
    return positions
end

--- The parts of a vjp at args by the arguments at positions.
local function open(who, f, args, n, positions)
    local recording = core.is_grad_enabled()
    local own, leaves, rebuild = start(who, args, n, positions)
    local results = run_recorded(f, own, n)
    local outputs = float_leaves(who, results)
    local more = recording and core._others(outputs, leaves)
    return {leaves = leaves, rebuild = rebuild, results = results, outputs = outputs, more = more}
end

--- Products of cotangents, flat, with the Jacobian: one tensor for each leaf.
local function pull_back(state, cotangents)
    local list, weights = in_graph(state.outputs, cotangents)
    if #list == 0 then
        return zeros_for(state.leaves)
    end
    local create = core.is_grad_enabled() and (state.more or any_requires_grad(cotangents))
    return core.grad(list, state.leaves,
        {grad_outputs = weights, retain_graph = true, create_graph = create, materialize_grads = true})
end

local function unpack_results(state)
    local results = {}
    for i = 1, state.results.n do
        results[i] = released(state.results[i], state.more)
    end
    return results, state.results.n
end

--- f(...) at the given arguments, and a function that multiplies a vector with the Jacobian from the left: given a
--- cotangent for each result, it gives a gradient for each argument. Results come first, the function last. It may be
--- called often.
--- > y, pull = tocha.func.vjp(function(a, b) return a * b end, tocha.tensor({1., 2.}), tocha.tensor({3., 4.}))
--- > pull(tocha.tensor({1., 10.}))
--- tensor({3, 40})
--- tensor({1, 20})
function func.vjp(f, ...)
    check_function("vjp", f)
    local n = select("#", ...)
    local state = open("vjp", f, {...}, n, all_positions(n))
    local results, count = unpack_results(state)
    results[count + 1] = function(...)
        local grads = pull_back(state, match("vjp", "cotangents", {...}, state.outputs))
        return table.unpack(by_position(state.rebuild, grads, false), 1, n)
    end
    return table.unpack(results, 1, count + 1)
end

--- A state whose Jacobian can be multiplied from the right: gradients are linear in the weights of the outputs, and
--- the gradient by these weights is the product, without a Jacobian ever standing anywhere.
local function open_forward(who, f, args, n, positions)
    local state = open(who, f, args, n, positions)
    state.weights = {}
    for k, y in ipairs(state.outputs) do
        state.weights[k] = core.no_grad(function() return core._start(core.zeros_like(y)) end)
    end
    local list, weights = in_graph(state.outputs, state.weights)
    state.grads = {}
    if #list > 0 then
        state.grads = core.enable_grad(core.grad, list, state.leaves,
            {grad_outputs = weights, create_graph = true, materialize_grads = true})
    end
    return state
end

--- Products of the Jacobian with tangents, flat: one tensor for each output.
local function push_forward(state, tangents)
    local list, weights = in_graph(state.grads, tangents)
    if #list == 0 then
        return zeros_for(state.outputs)
    end
    local create = core.is_grad_enabled() and (state.more or any_requires_grad(tangents))
    return core.grad(list, state.weights,
        {grad_outputs = weights, retain_graph = true, create_graph = create, materialize_grads = true})
end

--- Values for the float outputs in the places of the results.
local function like_results(state, values)
    local i = 0
    local results = {}
    for k = 1, state.results.n do
        results[k] = tree.map(function(y)
            if not y:is_floating_point() and not y:is_complex() then
                return core.zeros_like(y)
            end
            i = i + 1
            return values[i]
        end, state.results[k])
    end
    return results
end

--- f(...) at the given arguments, and a function that multiplies the Jacobian with a vector: given a tangent for each
--- argument, it gives the directional derivative of each result. Results come first, the function last. It may be
--- called often and runs f no more.
--- > y, push = tocha.func.linearize(function(x) return x ^ 2 end, tocha.tensor({1., 2.}))
--- > push(tocha.tensor({1., 1.}))
--- tensor({2, 4})
function func.linearize(f, ...)
    check_function("linearize", f)
    local n = select("#", ...)
    local state = open_forward("linearize", f, {...}, n, all_positions(n))
    local results, count = unpack_results(state)
    results[count + 1] = function(...)
        local products = push_forward(state, match("linearize", "tangents", {...}, state.leaves))
        return table.unpack(like_results(state, products), 1, count)
    end
    return table.unpack(results, 1, count + 1)
end

local function as_list(value)
    if core.is_tensor(value) then
        return {value}
    end
    return value
end

--- The value of f at primals, a tensor or a list of arguments, and its derivative in the direction of tangents, one for
--- each argument: the product of the Jacobian with them, which is never formed. Lists where f gives several results.
--- > tocha.func.jvp(function(x) return x ^ 2 end, tocha.tensor({1., 2.}), tocha.tensor({1., 10.}))
--- tensor({1, 4})
--- tensor({2, 40})
function func.jvp(f, primals, tangents)
    check_function("jvp", f)
    local args = as_list(primals)
    if type(args) ~= "table" or type(as_list(tangents)) ~= "table" then
        raise("jvp: expected tensors, or lists of them, for the primals and the tangents")
    end
    local state = open_forward("jvp", f, args, #args, all_positions(#args))
    local products = push_forward(state, match("jvp", "tangents", as_list(tangents), state.leaves))
    local results, count = unpack_results(state)
    local directions = like_results(state, products)
    if count == 1 then
        return results[1], directions[1]
    end
    return results, directions
end

--- Unit vectors in the space of t: (numel, sizes of t).
local function unit_vectors(t)
    local n = t:numel()
    local shape = {n, table.unpack(t:size())}
    return core.eye(n, {dtype = t.dtype, device = t.device}):reshape(shape)
end

local function zeros_of(list)
    local zeros = {}
    for k, t in ipairs(list) do
        zeros[k] = core.zeros_like(t)
    end
    return zeros
end

local function joined_shape(a, b)
    local shape = {table.unpack(a:size())}
    for _, n in ipairs(b:size()) do
        shape[#shape + 1] = n
    end
    return shape
end

--- columns[i][o]: derivatives by the elements of leaf i in front of output o's dims.
local function jacobians_forward(state, chunk_size)
    local blocks = {}
    for i, x in ipairs(state.leaves) do
        local mapped = vmap(function(direction)
            local tangents = zeros_of(state.leaves)
            tangents[i] = direction
            return push_forward(state, tangents)
        end, {chunk_size = chunk_size})
        local products = mapped(unit_vectors(x))
        for o, y in ipairs(state.outputs) do
            blocks[o] = blocks[o] or {}
            blocks[o][i] = products[o]:movedim(1, -1):reshape(joined_shape(y, x))
        end
    end
    return blocks
end

local function jacobians_reverse(state, chunk_size)
    local blocks = {}
    for o, y in ipairs(state.outputs) do
        local mapped = vmap(function(direction)
            local cotangents = zeros_of(state.outputs)
            cotangents[o] = direction
            return pull_back(state, cotangents)
        end, {chunk_size = chunk_size})
        local products = mapped(unit_vectors(y))
        blocks[o] = {}
        for i, x in ipairs(state.leaves) do
            blocks[o][i] = products[i]:reshape(joined_shape(y, x))
        end
    end
    return blocks
end

local jacobian_spec = {{"argnums", "any", 1}, {"chunk_size", "count", optional = true}}

local function read_jacobian_options(who, ...)
    local first = ...
    if type(first) == "table" and #first > 0 then
        return {argnums = first}
    end
    return options.read(who, jacobian_spec, ...)
end

local function make_jacobian(who, f, opener, form, ...)
    check_function(who, f)
    local o = read_jacobian_options(who, ...)
    return function(...)
        local positions, single = read_positions(who, o.argnums)
        local state = opener(who, f, {...}, select("#", ...), positions)
        local blocks = form(state, o.chunk_size)
        local by_output = {}
        for k in ipairs(state.outputs) do
            by_output[k] = by_position(state.rebuild, blocks[k], single)
        end
        return table.unpack(like_results(state, by_output), 1, state.results.n)
    end
end

--- A function that gives the Jacobian of f by the argument at position argnums (1): for each result a tensor with the
--- sizes of the result and then those of the argument; for a list of positions a list of such. Reverse mode: one pass
--- back for all elements of the results together, chunk_size at a time if that is given.
--- > tocha.func.jacrev(function(x) return x ^ 2 end)(tocha.tensor({1., 2.}))
--- tensor({{2, 0},
---         {0, 4}})
function func.jacrev(f, ...)
    return make_jacobian("jacrev", f, open, jacobians_reverse, ...)
end

--- The same in forward mode: one pass for all elements of the argument together. Better where the results have more
--- elements than the argument.
--- > tocha.func.jacfwd(function(x) return x ^ 2 end)(tocha.tensor({1., 2.}))
--- tensor({{2, 0},
---         {0, 4}})
function func.jacfwd(f, ...)
    return make_jacobian("jacfwd", f, open_forward, jacobians_forward, ...)
end

--- jacrev under its plain name.
--- > tocha.func.jacobian(function(x) return x:sum() * x end)(tocha.tensor({1., 2.}))
--- tensor({{4, 1},
---         {2, 5}})
function func.jacobian(f, ...)
    return make_jacobian("jacobian", f, open, jacobians_reverse, ...)
end

--- A function that gives the Hessian of f, the second derivatives, by the argument at position argnums (1): a tensor
--- with the sizes of the result and twice those of the argument; for a list of positions a list of lists of such.
--- > tocha.func.hessian(function(x) return x[1] ^ 2 * x[2] end)(tocha.tensor({1., 3.}))
--- tensor({{6, 2},
---         {2, 0}})
function func.hessian(f, ...)
    check_function("hessian", f)
    return func.jacfwd(func.jacrev(f, ...), ...)
end

--- The value of f, which has one element, at primals, a tensor or a list of arguments, and the product of its Hessian
--- with tangents, one for each argument: a tensor, or a list.
--- > tocha.func.hvp(function(x) return (x ^ 3):sum() end, tocha.tensor({1., 2.}), tocha.tensor({1., 1.}))
--- tensor(9)
--- tensor({6, 12})
function func.hvp(f, primals, tangents)
    check_function("hvp", f)
    local args = as_list(primals)
    if type(args) ~= "table" or type(as_list(tangents)) ~= "table" then
        raise("hvp: expected tensors, or lists of them, for the primals and the tangents")
    end
    local n = #args
    local state = open("hvp", f, args, n, all_positions(n))
    local value = state.outputs[1]
    if #state.outputs ~= 1 or value:numel() ~= 1 then
        raise("hvp: the function must give a tensor of one element, got %s", describe(state.results[1]))
    end
    local weights = match("hvp", "tangents", as_list(tangents), state.leaves)
    local grads = value.requires_grad and core.enable_grad(core.grad, {value}, state.leaves,
        {grad_outputs = {core.ones_like(value)}, create_graph = true, materialize_grads = true}) or {}
    local list, chosen = in_graph(grads, weights)
    local products = zeros_for(state.leaves)
    if #list > 0 then
        local create = core.is_grad_enabled() and (state.more or any_requires_grad(weights))
        products = core.grad(list, state.leaves,
            {grad_outputs = chosen, create_graph = create, materialize_grads = true})
    end
    local shown = by_position(state.rebuild, products, core.is_tensor(primals))
    return released(value, state.more), shown
end

--- Calls a module with the tensors of state, a table by name such as {["fc1.weight"] = w}, in the places of its
--- parameters and buffers; those that state does not name stay as they are. This makes a module a function of its
--- parameters, to be differentiated or mapped.
--- > m = nn.Linear(2, 1)
--- > tocha.func.functional_call(m, {weight = tocha.ones(1, 2), bias = tocha.zeros(1)}, tocha.tensor({3., 4.}))
--- tensor({7})
function func.functional_call(module, state, ...)
    local modules = require "nn.module"
    if not modules.is_module(module) then
        raise("functional_call: expected a module, got %s", describe(module))
    elseif type(state) ~= "table" or core.is_tensor(state) then
        raise("functional_call: state must be a table of tensors by name, got %s", describe(state))
    end
    return modules.call_with(module, state, ...)
end

--- The parameters and buffers of modules of one kind, stacked by name along a new first dim, for vmap over an ensemble
--- with functional_call: parameters, buffers.
--- > tocha.func.stack_module_state({nn.Linear(2, 1), nn.Linear(2, 1)}).weight.shape
--- 2x1x2
function func.stack_module_state(modules)
    local kinds = {{}, {}}
    if type(modules) ~= "table" or #modules == 0 then
        raise("stack_module_state: expected a list of modules, got %s", describe(modules))
    end
    for i, module in ipairs(modules) do
        if not require("nn.module").is_module(module) then
            raise("stack_module_state: expected a list of modules, number %d is %s", i, describe(module))
        end
    end
    for k, list in ipairs {"named_parameters", "named_buffers"} do
        for i, module in ipairs(modules) do
            for name, tensor in module[list](module) do
                kinds[k][name] = kinds[k][name] or {}
                kinds[k][name][i] = tensor:detach()
            end
        end
        for name, tensors in pairs(kinds[k]) do
            if #tensors ~= #modules then
                raise("stack_module_state: not all modules have %s", name)
            end
            kinds[k][name] = core.stack(tensors)
            if k == 1 then
                kinds[k][name]:requires_grad_()
            end
        end
    end
    return kinds[1], kinds[2]
end

return func
