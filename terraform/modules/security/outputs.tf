output "groups" {
  description = "Security groups by place."
  value       = { for place, group in aws_security_group.place : place => group.id }
}

output "profiles" {
  description = "Instance profiles by tier."
  value       = { for tier, profile in aws_iam_instance_profile.tier : tier => profile.name }
}

output "key_arn" {
  description = "KMS key of everything that is stored."
  value       = aws_kms_key.data.arn
}

output "rules" {
  description = "Rules of the matrix that are in force, by from-to-port."
  value       = local.rules
}

output "pipeline_role_arn" {
  description = "Role of the GitHub workflow, for its secret AWS_DEPLOY_ROLE; null without github_repository."
  value       = one(aws_iam_role.pipeline[*].arn)
}

output "healthimaging" {
  description = "What App's settings LIGHTBOX_HEALTHIMAGING_ROLE and _FOLDER are; null: none."
  value       = local.with_healthimaging == 0 ? null : { role = aws_iam_role.import[0].arn, folder = "s3://${var.buckets.studies}/${local.healthimaging_folder}" }
}
