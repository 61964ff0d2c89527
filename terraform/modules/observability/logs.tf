# One log group a tier. The tiers write no names, no file names and no tokens (see their own tests).

resource "aws_cloudwatch_log_group" "tier" {
  for_each          = var.tiers
  name              = "/${var.name}/tiers/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}
