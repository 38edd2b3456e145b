export const operatorNamespace = "evnode-system";
export const operatorName = "evnode-operator";
/** As the API server knows it. */
export const operatorUser = `system:serviceaccount:${operatorNamespace}:${operatorName}`;
