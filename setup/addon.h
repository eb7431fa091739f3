// Included before the sources of tfjs-node's addon, for what they leave out.
#include <algorithm>
#include <string>
#include <vector>

#include "node_api.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

// Parts of a text with commas between them.
inline std::vector<std::string> parts(const std::string &text) {
  std::vector<std::string> found;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    found.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return found;
}

// The addon sets no attribute that is a list of texts or of types: these make lists of the two that fused convolutions
// need, "fused_ops" (texts with commas between them) and "TArgs" (one type).
inline void setTextOrList(TFE_Op *op, const char *name, const void *value, size_t length) {
  if (std::string(name) != "fused_ops") return TFE_OpSetAttrString(op, name, value, length);
  const std::vector<std::string> texts = parts(std::string(static_cast<const char *>(value), length));
  std::vector<const void *> starts;
  std::vector<size_t> lengths;
  for (const std::string &text : texts) {
    starts.push_back(text.data());
    lengths.push_back(text.size());
  }
  TFE_OpSetAttrStringList(op, name, starts.data(), lengths.data(), static_cast<int>(starts.size()));
}

inline void setTypeOrList(TFE_Op *op, const char *name, TF_DataType value) {
  if (std::string(name) == "TArgs") return TFE_OpSetAttrTypeList(op, name, &value, 1);
  TFE_OpSetAttrType(op, name, value);
}

// The context in which the addon runs ops, for functions to be added to. A function runs as it is written: TensorFlow's
// rewriting would take as long as many steps, gained nothing, and made other last digits than the same ops one by one.
// The bytes are ConfigProto { graph_options { rewrite_options { disable_meta_optimizer: true } } }.
inline TFE_Context *theContext = nullptr;
inline TFE_Context *newContext(TFE_ContextOptions *options, TF_Status *status) {
  static const unsigned char config[] = {0x52, 0x05, 0x52, 0x03, 0x98, 0x01, 0x01};
  TFE_ContextOptionsSetConfig(options, config, sizeof config, status);
  return theContext = TFE_NewContext(options, status);
}

inline std::string textOf(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

inline void throwUnlessOk(napi_env env, TF_Status *status) {
  if (TF_GetCode(status) != TF_OK) napi_throw_error(env, nullptr, TF_Message(status));
}

// "node:index" as an output of a graph.
inline TF_Output outputOf(TF_Graph *graph, const std::string &name) {
  const size_t colon = name.find(':');
  return {TF_GraphOperationByName(graph, name.substr(0, colon).c_str()), std::stoi(name.substr(colon + 1))};
}

inline void addGraph(const char *name, TF_Graph *graph, const std::string &inputs, const std::string &outputs,
                     TF_Status *status) {
  std::vector<TF_Output> from, to;
  for (const std::string &input : parts(inputs)) from.push_back(outputOf(graph, input));
  for (const std::string &output : parts(outputs)) to.push_back(outputOf(graph, output));
  TF_Function *function = TF_GraphToFunction(graph, name, 0, -1, nullptr, static_cast<int>(from.size()), from.data(),
                                             static_cast<int>(to.size()), to.data(), nullptr, nullptr, nullptr, status);
  if (TF_GetCode(status) != TF_OK) return;
  TFE_ContextAddFunction(theContext, function, status);
  TF_DeleteFunction(function);
}

// addFunction(name, graph, inputs, outputs): makes an op of a GraphDef (its bytes). Inputs and outputs are "node:index"
// with commas between them.
inline napi_value addFunction(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value given[4];
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  void *bytes = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, given[1], nullptr, &length, &bytes, nullptr, nullptr);
  TF_Status *status = TF_NewStatus();
  TF_Graph *graph = TF_NewGraph();
  TF_Buffer *definition = TF_NewBufferFromString(bytes, length);
  TF_ImportGraphDefOptions *options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph, definition, options, status);
  if (TF_GetCode(status) == TF_OK)
    addGraph(textOf(env, given[0]).c_str(), graph, textOf(env, given[2]), textOf(env, given[3]), status);
  throwUnlessOk(env, status);
  TF_DeleteImportGraphDefOptions(options);
  TF_DeleteBuffer(definition);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return nullptr;
}

// removeFunction(name)
inline napi_value removeFunction(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value name;
  napi_get_cb_info(env, info, &count, &name, nullptr, nullptr);
  TF_Status *status = TF_NewStatus();
  TFE_ContextRemoveFunction(theContext, textOf(env, name).c_str(), status);
  throwUnlessOk(env, status);
  TF_DeleteStatus(status);
  return nullptr;
}

inline napi_value withFunctions(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "addFunction", NAPI_AUTO_LENGTH, addFunction, nullptr, &function);
  napi_set_named_property(env, exports, "addFunction", function);
  napi_create_function(env, "removeFunction", NAPI_AUTO_LENGTH, removeFunction, nullptr, &function);
  napi_set_named_property(env, exports, "removeFunction", function);
  return exports;
}

#define TFE_NewContext newContext
#define TFE_OpSetAttrString setTextOrList
#define TFE_OpSetAttrType setTypeOrList
#undef NAPI_MODULE
#define NAPI_MODULE(name, initialise) \
  NAPI_MODULE_INIT() { return withFunctions(env, initialise(env, exports)); }
