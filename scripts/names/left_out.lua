--- What Tocha has under another name than PyTorch, and what it does without, each with the reason.

--- PyTorch's name to a Lua expression of the same meaning, in which x is a tensor.
local spelled = {
    ["torch.Size"] = "x.shape",
    ["torch.e"] = "math.exp(1)",
    ["torch.inf"] = "math.huge",
    ["torch.nan"] = "0 / 0",
    ["torch.pi"] = "math.pi",
    ["torch.vmap"] = "tocha.func.vmap",
    ["torch.set_default_tensor_type"] = "tocha.set_default_dtype",
}

--- Names that do not count.
local apart = {
    {
        reason = "storage: tensors are the only handle to memory",
        names = {
            torch = "is_storage",
            Tensor = "const_data_ptr is_set_to set_ storage storage_type untyped_storage",
        },
    },
    {
        reason = "quantisation",
        names = {
            torch = [[dequantize fake_quantize_per_channel_affine fake_quantize_per_tensor_affine quantize_per_channel
                quantize_per_tensor quantize_per_tensor_dynamic quantized_batch_norm quantized_max_pool1d
                quantized_max_pool2d]],
            Tensor = [[dequantize int_repr is_quantized q_per_channel_axis q_per_channel_scales
                q_per_channel_zero_points q_scale q_zero_point qscheme]],
            ["nn.functional"] = "scaled_addmm scaled_addmm_ scaled_grouped_mm scaled_mm",
        },
    },
    {
        reason = "sparse and nested layouts",
        names = {
            torch = [[col_indices_copy crow_indices_copy hspmm indices_copy smm sparse_bsc_tensor sparse_bsr_tensor
                sparse_compressed_tensor sparse_coo_tensor sparse_csc_tensor sparse_csr_tensor sspaddmm values_copy]],
            Tensor = [[coalesce col_indices crow_indices dense_dim indices is_coalesced is_sparse is_sparse_csr layout
                smm sparse_dim sparse_mask sparse_resize_ sparse_resize_and_clear_ sspaddmm to_dense to_mkldnn
                to_padded_tensor to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr
                values]],
            ["nn.functional"] = "grouped_mm",
        },
    },
    {
        reason = "distributed: memory shared between processes",
        names = {Tensor = "is_shared share_memory_"},
    },
    {
        reason = "Python plumbing: TorchScript, tracing and symbolic sizes",
        names = {
            torch = [[ScriptFunction SymBool SymFloat SymInt cond fork import_ir_module
                import_ir_module_from_buffer merge_type_from_type_comment parse_ir parse_schema parse_type_comment
                sym_float sym_int sym_ite sym_max sym_min sym_not sym_sum unify_type_list wait while_loop]],
            ["nn.functional"] = [[boolean_dispatch handle_torch_function has_torch_function
                has_torch_function_unary has_torch_function_variadic]],
        },
    },
    {
        reason = "Python plumbing: workers of Python's data loader",
        names = {torch = "thread_safe_generator"},
    },
    {
        reason = "Python plumbing: other Python libraries' arrays, classes and exceptions",
        names = {
            torch = [[AcceleratorError OutOfMemoryError compiled_with_cxx11_abi from_dlpack from_numpy
                get_device_module to_dlpack typename]],
            Tensor = "as_subclass module_load numpy",
            linalg = "LinAlgError",
        },
    },
}

--- Names that count and are not there.
local left_out = {
    {
        reason = "a device of another maker",
        names = {Tensor = "ipu is_ipu is_meta is_mps is_xla is_xpu mtia xpu"},
    },
    {
        reason = "nothing to choose: the same seed, device and threads always give the same bits",
        names = {
            torch = [[are_deterministic_algorithms_enabled get_deterministic_debug_mode
                is_deterministic_algorithms_warn_only_enabled set_deterministic_debug_mode
                use_deterministic_algorithms]],
        },
    },
    {
        reason = "nothing to choose: one pool of threads does all parallel work; set_num_threads sets its size",
        names = {torch = "get_num_interop_threads init_num_threads set_num_interop_threads"},
    },
    {
        reason = "nothing to choose: there are no warnings; what is wrong is an error",
        names = {torch = "is_warn_always_enabled set_warn_always"},
    },
    {
        reason = "devices are named where tensors are made or moved; there is no default but the CPU",
        names = {torch = "get_default_device set_default_device"},
    },
    {
        reason = "denormal numbers always count, on every thread",
        names = {torch = "set_flush_denormal"},
    },
    {
        reason = "graphs are not compiled yet",
        names = {torch = "compile"},
    },
    {
        reason = "tensors own their memory; load() reads files",
        names = {torch = "from_file"},
    },
    {
        reason = "its dtype (uint64, complex32) is none of Tocha's",
        names = {torch = "hash_tensor", Tensor = "chalf"},
    },
    {
        reason = "a few eigenvalues of a matrix too large for eigh are a matter of sparse matrices",
        names = {torch = "lobpcg"},
    },
    {
        reason = "scatter_reduce and index_reduce join entries by positions",
        names = {torch = "segment_reduce"},
    },
    {
        reason = "dropout1d, dropout2d and dropout3d drop whole channels",
        names = {torch = "feature_dropout_"},
    },
    {
        reason = "a gradient always has its tensor's dtype",
        names = {Tensor = "grad_dtype"},
    },
}

return {spelled = spelled, apart = apart, left_out = left_out}
